"""Random changes of images while a network trains."""
