"""Which parts of an image a class depends on, and whether to believe it."""
