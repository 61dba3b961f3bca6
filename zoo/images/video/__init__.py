"""Decoding videos: :mod:`zoo.images.frames` replaces videos among sources by their frames."""
