"""From what a user types to uint8 RGB pixels.

``discovery`` finds files, folders, globs and URLs (with ``folders``); ``source`` is one image that was found;
``formats`` is the table of formats; ``header`` and ``limits`` refuse files; ``decode`` gives the pixels (with
``colours``); ``frames`` replaces videos (``video``) by their frames; ``inputs`` takes what Python callers pass.
"""
