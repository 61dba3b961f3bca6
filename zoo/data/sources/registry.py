"""The table of dataset sources, and which of them a path belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable

from zoo.core.errors import UsageError
from zoo.data.sources import class_folders, idx_folder, table
from zoo.data.sources.base import DatasetSource

#: Each opens a path, or returns ``None`` if the path is not of its kind. The first that accepts a path has it.
SOURCES: tuple[Callable[[str], DatasetSource | None], ...] = (
    idx_folder.open_folder,
    table.open_table,
    class_folders.open_folder,
)


def open_source(path: str | os.PathLike[str]) -> DatasetSource:
    """Open a dataset. No image is opened."""
    text = os.fsdecode(path)
    for source in SOURCES:
        if (found := source(text)) is not None:
            return found
    if os.path.exists(text):
        raise UsageError(f"A dataset is a folder or a table ({', '.join(table.DELIMITERS)}). Received: {text}")
    raise UsageError(f"There is no dataset {text}.")
