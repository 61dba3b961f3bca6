"""The content of a file and a log together: old rows, those that replace some of them, and new ones."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.content import BLOCK_BYTES, Entry
from zoo.vectors.journal.existing_file import ExistingFile
from zoo.vectors.journal.log import Line, Log
from zoo.vectors.names import BLOCK
from zoo.vectors.rows import Buffers, block_rows


class MergedContent:
    """The content of a log, or of an older file and a log, as :class:`zoo.vectors.content.Content`."""

    def __init__(
        self, about: Mapping[str, Any], columns: Sequence[Column], log: Log, older: ExistingFile | None
    ) -> None:
        """Determine where each row of ``log`` and the older file comes from."""
        self.about, self.columns = about, columns
        self._log, self._older = log, older
        #: With an older file: the row in it, or -1 - the row in the log.
        self._order = np.empty(0, np.int64)
        self._replacing: dict[int, Entry] = {}
        self.count = log.count
        if older is not None:
            self._arrange(older)
            self.count = len(self._order)

    @property
    def changed(self) -> int:
        """Rows that replace older ones."""
        return len(self._replacing)

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column in blocks."""
        number = list(self.columns).index(column)
        step = min(rows or block_rows(column.shape, BLOCK_BYTES), max(1, self.count))
        buffers = Buffers((step, *column.shape), column.dtype)
        with contextlib.ExitStack() as closing:
            # A log without rows may not know its columns.
            logged = self._log.rows(number, closing) if self._log.count else None
            for start in range(0, self.count, step):
                block = buffers.get(min(step, self.count - start))
                if self._older is None:
                    assert logged is not None
                    logged.fill(start, block)
                else:
                    places = self._order[start : start + step]
                    old = places >= 0
                    if old.any():
                        block[old] = self._older.take(number, places[old])
                    if logged is not None and not old.all():
                        block[~old] = logged.take(-1 - places[~old])
                yield block

    def entries(self) -> Iterator[Entry]:
        """The image of each row."""
        added = (_entry(line) for line in self._log.lines() if line.error is None and line.row is None)
        if self._older is None:
            yield from added
            return
        old = enumerate(self._older.entries())
        for start in range(0, self.count, BLOCK):
            for place in self._order[start : start + BLOCK].tolist():
                if place >= 0:
                    yield next(entry for row, entry in old if row == place)
                elif -1 - place in self._replacing:
                    yield self._replacing[-1 - place]
                else:
                    yield next(added)

    def failures(self) -> Iterator[tuple[str, str]]:
        """The failed inputs: those of the older file that were not tried again, then those of the log."""
        if self._older is not None:
            remaining = Counter(path for path, _ in self._older.failures())
            for line in self._log.lines():
                if remaining[line.path]:
                    remaining[line.path] -= 1
            for path, error in self._older.failures():
                if remaining[path]:
                    remaining[path] -= 1
                    yield path, error
        for line in self._log.lines():
            if line.error is not None:
                yield line.path, line.error

    def _arrange(self, older: ExistingFile) -> None:
        order, kept = np.arange(older.count), np.ones(older.count, bool)
        added = []
        row = 0
        for line in self._log.lines():
            if line.error is not None:
                if line.row is not None:
                    kept[line.row] = False
                continue
            if line.row is None:
                added.append(-1 - row)
            else:
                order[line.row] = -1 - row
                self._replacing[row] = _entry(line)
            row += 1
        self._order = np.concatenate([order[kept], np.array(added, np.int64)])


def _entry(line: Line) -> Entry:
    return Entry(line.path, line.size, line.mtime_ns)
