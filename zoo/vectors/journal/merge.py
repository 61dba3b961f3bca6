"""What a journal amounts to: the rows of the file that it continues, those that replace some of them, and new ones."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.content import BLOCK_BYTES, Entry
from zoo.vectors.journal.log import Line, Log
from zoo.vectors.journal.previous import Base
from zoo.vectors.names import BLOCK
from zoo.vectors.rows import Buffers, block_rows


class Merged:
    """The content of a log, or of a file and a log together."""

    def __init__(self, about: Mapping[str, Any], columns: Sequence[Column], log: Log, base: Base | None) -> None:
        """Find out which row comes from where.

        Args:
            about: what is known of the vectors.
            columns: of both.
            log: what was done now.
            base: the file that is continued, if any.
        """
        self.about, self.columns = about, columns
        self._log, self._base = log, base
        #: Where there is a file: for each row its row there, or -1 - its row in the log. 8 bytes a row.
        self._order = np.empty(0, np.int64)
        self._replacing: dict[int, Entry] = {}
        self.count = log.count
        if base is not None:
            self._arrange(base)
            self.count = len(self._order)

    @property
    def changed(self) -> int:
        """Rows that replace older ones."""
        return len(self._replacing)

    def _arrange(self, base: Base) -> None:
        order, kept = np.arange(base.count), np.ones(base.count, bool)
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

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column, in blocks."""
        number = list(self.columns).index(column)
        step = min(rows or block_rows(column.shape, BLOCK_BYTES), max(1, self.count))
        buffers = Buffers((step, *column.shape), column.dtype)
        with contextlib.ExitStack() as closing:
            # A log of which nobody has said what its rows are has none.
            logged = self._log.rows(number, closing) if self._log.count else None
            for start in range(0, self.count, step):
                block = buffers.get(min(step, self.count - start))
                if self._base is None:
                    assert logged is not None
                    logged.fill(start, block)
                else:
                    places = self._order[start : start + step]
                    older = places >= 0
                    if older.any():
                        block[older] = self._base.take(number, places[older])
                    if logged is not None and not older.all():
                        block[~older] = logged.take(-1 - places[~older])
                yield block

    def entries(self) -> Iterator[Entry]:
        """The images of the rows."""
        added = (_entry(line) for line in self._log.lines() if line.error is None and line.row is None)
        if self._base is None:
            yield from added
            return
        older = enumerate(self._base.entries())
        for start in range(0, self.count, BLOCK):
            for place in self._order[start : start + BLOCK].tolist():
                if place >= 0:
                    yield next(entry for row, entry in older if row == place)
                elif -1 - place in self._replacing:
                    yield self._replacing[-1 - place]
                else:
                    yield next(added)

    def failures(self) -> Iterator[tuple[str, str]]:
        """The inputs without rows: those of the file that were not tried again, then those of the log."""
        if self._base is not None:
            older = Counter(path for path, _ in self._base.failures())
            for line in self._log.lines():
                if older[line.path]:
                    older[line.path] -= 1
            for path, error in self._base.failures():
                if older[path]:
                    older[path] -= 1
                    yield path, error
        for line in self._log.lines():
            if line.error is not None:
                yield line.path, line.error


def _entry(line: Line) -> Entry:
    return Entry(line.path, line.size, line.mtime_ns)
