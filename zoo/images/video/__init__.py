"""Decoding videos: ``zoo.images.frames`` replaces videos among sources by their frames.

``times`` parses ``--every`` and paths of frames, ``container`` sees whether a file is cut short, ``reader`` decodes,
``rendering`` makes RGB pixels, ``frame`` is one frame as an image file.
"""
