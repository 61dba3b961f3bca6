"""The finished file that a journal continues: all its columns, what it was made from, and whether it is still that."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.content import Entry
from zoo.vectors.formats import table
from zoo.vectors.names import BLOCK
from zoo.vectors.vectors import Stamps, Vectors


class Base:
    """A file of vectors, open for reading; :meth:`close` closes it."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            UsageError: it is damaged, or none.
        """
        self.path = path
        self._closing = contextlib.ExitStack()
        self._vectors: list[Vectors] = []
        self._first = self._column(0)
        self.count, self.about = self._first.count, self._first.file_about
        #: What there is for each image; nothing where there are no images, because then nobody knew.
        self.columns: tuple[Column, ...] = self._first.columns if self.count else ()
        self.stamped = self._first.stamps(0, 0) is not None
        self._stamps_from, (self._sizes, self._times) = 0, _unknown(0)

    def take(self, number: int, rows: np.ndarray) -> np.ndarray:
        """Some rows of a column, int64 (n,): (n, *shape)."""
        while len(self._vectors) <= number:
            self._column(len(self._vectors))
        return self._vectors[number].take(rows)

    def stamp(self, row: int) -> tuple[int, int]:
        """Size and time of change of an image's file, as they were; -1 where the file does not have them."""
        if not self._stamps_from <= row < self._stamps_from + len(self._sizes):
            # Rows are asked for in order as a rule, and a file is slow to give a single one.
            self._stamps_from = row - row % BLOCK
            stop = min(self._stamps_from + BLOCK, self.count)
            self._sizes, self._times = self._first.stamps(self._stamps_from, stop) or _unknown(stop - self._stamps_from)
        return int(self._sizes[row - self._stamps_from]), int(self._times[row - self._stamps_from])

    def entries(self) -> Iterator[Entry]:
        """The images of all rows."""
        for start in range(0, self.count, BLOCK):
            stop = min(start + BLOCK, self.count)
            paths = self._first.paths[start:stop]
            sizes, times = self._first.stamps(start, stop) or _unknown(len(paths))
            for path, size, time in zip(paths, sizes, times, strict=True):
                yield Entry(path, int(size), int(time))

    def failures(self) -> Iterator[tuple[str, str]]:
        """The inputs without rows."""
        return self._first.failed()

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def _column(self, number: int) -> Vectors:
        vectors = table.open_column(self.path, lambda columns: columns[number])
        self._vectors.append(self._closing.enter_context(vectors))
        return vectors


def _unknown(count: int) -> Stamps:
    return np.full(count, -1, np.int64), np.full(count, -1, np.int64)


def mark(path: Path) -> dict[str, Any]:
    """By what a file is recognised later: size and time, of a folder those of ``about.json`` in it."""
    status = os.stat(path / "about.json" if path.is_dir() else path)
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
