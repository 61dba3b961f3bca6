"""Random changes of training images.

* ``config``: :class:`~zoo.data.augment.config.Augment`, the settings with their ranges; ``kinds`` of these.
* ``pipeline``: the table of augmentations, and how they are applied to a batch.
* ``geometry``, ``colour``, ``erasing``, ``mixing``, ``randaugment``: the augmentations.
"""
