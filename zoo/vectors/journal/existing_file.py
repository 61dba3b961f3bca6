"""The finished file that a journal updates."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.content import Entry
from zoo.vectors.formats.registry import open_column
from zoo.vectors.names import BLOCK
from zoo.vectors.vectors import Stamps, Vectors


class ExistingFile:
    """All columns of a file, open for reading."""

    def __init__(self, path: Path) -> None:
        """Open it."""
        self.path = path
        self._closing = contextlib.ExitStack()
        self._vectors: list[Vectors] = []
        self._first = self._open_next()
        self.count, self.about = self._first.count, self._first.file_about
        #: Empty without rows, because then they were never known.
        self.columns: tuple[Column, ...] = self._first.columns if self.count else ()
        self.stamped = self._first.stamps(0, 0) is not None
        self._stamps_from, (self._sizes, self._times) = 0, _unknown(0)

    def take(self, number: int, rows: np.ndarray) -> np.ndarray:
        """Rows, int64 (n,), of a column: (n, *shape)."""
        while len(self._vectors) <= number:
            self._open_next()
        return self._vectors[number].take(rows)

    def stamp(self, row: int) -> tuple[int, int]:
        """Stored size and modification time of an image's file; -1 if unknown."""
        if not self._stamps_from <= row < self._stamps_from + len(self._sizes):
            # Read in blocks, because rows are mostly requested in order.
            self._stamps_from = row - row % BLOCK
            stop = min(self._stamps_from + BLOCK, self.count)
            self._sizes, self._times = self._first.stamps(self._stamps_from, stop) or _unknown(stop - self._stamps_from)
        return int(self._sizes[row - self._stamps_from]), int(self._times[row - self._stamps_from])

    def entries(self) -> Iterator[Entry]:
        """The image of each row."""
        for start in range(0, self.count, BLOCK):
            paths = self._first.paths[start : min(start + BLOCK, self.count)]
            sizes, times = self._first.stamps(start, start + len(paths)) or _unknown(len(paths))
            for path, size, time in zip(paths, sizes, times, strict=True):
                yield Entry(path, int(size), int(time))

    def failures(self) -> Iterator[tuple[str, str]]:
        """The failed inputs."""
        return self._first.failed()

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def _open_next(self) -> Vectors:
        number = len(self._vectors)
        vectors = open_column(self.path, lambda columns: columns[number])
        self._vectors.append(self._closing.enter_context(vectors))
        return vectors


def _unknown(count: int) -> Stamps:
    return np.full(count, -1, np.int64), np.full(count, -1, np.int64)


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and modification time of a file, or of ``about.json`` in a folder."""
    status = os.stat(path / "about.json" if path.is_dir() else path)
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
