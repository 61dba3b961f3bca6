"""File formats of feature vectors.

A format is a module with ``open_file(path, choose)``, ``write(content, path)`` and, if it has several files,
``files(path)``; and a row in the table of :mod:`~zoo.vectors.formats.registry`, from which everything else is derived.
Formats share :mod:`~zoo.vectors.formats.sidecars` (attributes beside the numbers) and
:mod:`~zoo.vectors.formats.text_rows` (numbers as text).
"""
