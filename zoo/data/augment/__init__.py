"""Augmentation of training images: ``config`` has the settings, ``pipeline`` the table of augmentations."""
