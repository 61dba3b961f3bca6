"""Feature vectors on disk: written so that an interruption loses nothing, read in bounded memory.

* :mod:`~zoo.vectors.vectors`: :class:`Vectors`, an open file; :mod:`~zoo.vectors.column`: its columns.
* :mod:`~zoo.vectors.formats`: HDF5, NumPy, CSV, Parquet, TensorBoard; ``registry.py`` has the table of formats.
* :mod:`~zoo.vectors.journal`: :class:`Journal`, which writes a file and can resume or update it.
* :mod:`~zoo.vectors.part_folder`: the folder ``FILE.part`` of unfinished work.

Names are imported when they are first used, because NumPy would slow down the start of the command line.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.vectors.column import Column
    from zoo.vectors.formats.registry import open_vectors
    from zoo.vectors.journal.journal import Journal, Mode, Written
    from zoo.vectors.vectors import Vectors

__all__ = ["Column", "Journal", "Mode", "Vectors", "Written", "open_vectors"]

_MODULES = {"Column": "column", "Vectors": "vectors", "open_vectors": "formats.registry"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'zoo.vectors' has no attribute '{name}'")
    return getattr(importlib.import_module(f"zoo.vectors.{_MODULES.get(name, 'journal.journal')}"), name)
