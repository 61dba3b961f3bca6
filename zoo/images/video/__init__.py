"""Frames of videos as images.

``times`` parses ``--every`` and paths of moments, ``container`` sees whether a file is cut short, ``reader`` decodes,
``rendering`` makes RGB pixels, ``frame`` is one frame as an image file, ``expand`` replaces videos by their frames.
"""
