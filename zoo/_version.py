"""The version of zoo, in a module of its own so that every room may import it."""

__version__ = "0.2.0"
