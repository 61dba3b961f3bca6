"""The work done so far, in a folder: a file of numbers for each column, and a line for each input, in order.

* ``column0.bin``, ``column1.bin``, …: the rows without gaps.
* ``rows.jsonl``: for each input ``{"size": …, "mtime_ns": …, "path": …}`` or ``{"error": …, "path": …}``, with a key
  ``row`` if it replaces a row of an older file.

Files are only appended to: first the rows, then their lines. After any interruption each file is a prefix of what it
should be, and opening truncates all to the last row that all of them have. That holds for a killed process, whose bytes
the system has already, and for a power cut on a journaling file system, where a file only becomes longer when its bytes
are on the disk. So nothing here calls ``fsync``: a power cut costs at most the last half minute of work.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.rows import ByteFile, RawRows

LINES = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """An input that is done: size and modification time of its file, or the error."""

    path: str
    size: int = -1
    mtime_ns: int = -1
    error: str | None = None
    #: The row of the older file that this replaces.
    row: int | None = None

    def encode(self) -> bytes:
        """The line with its line break."""
        values: dict[str, Any]
        values = {"size": self.size, "mtime_ns": self.mtime_ns} if self.error is None else {"error": self.error}
        if self.row is not None:
            values["row"] = self.row
        return json.dumps({**values, "path": self.path}).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Line | None:
        """The inverse of :meth:`encode`; ``None`` for an incomplete line."""
        if not data.endswith(b"\n"):
            return None
        try:
            return cls(**json.loads(data.decode()))
        except (ValueError, TypeError):
            return None


@dataclass
class _State:
    """What is committed, and what is not yet: replaced as a whole, so that Ctrl-C finds one state or the other."""

    count: int = 0
    failed: int = 0
    #: Size of the committed lines.
    end: int = 0
    rows: list[bytearray] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


class Log:
    """The folder, open for appending; only uncommitted rows are in memory."""

    def __init__(self, folder: Path, columns: Sequence[Column] = ()) -> None:
        """Open or create the files, and truncate them to the rows that all have; raises OSError."""
        self.folder = folder
        self._closing = contextlib.ExitStack()
        self._state = _State()
        self.columns: tuple[Column, ...] = ()
        self._files: list[FileIO] = []
        try:
            self._lines = self._open(LINES)
            self.declare(columns)
            self._truncate()
        except BaseException:
            self.close()
            raise

    @property
    def count(self) -> int:
        """Committed rows."""
        return self._state.count

    @property
    def failed(self) -> int:
        """Committed inputs without a row."""
        return self._state.failed

    @property
    def pending(self) -> int:
        """Uncommitted bytes, with about 100 for each line."""
        return sum(map(len, self._state.rows)) + 100 * len(self._state.lines)

    def declare(self, columns: Sequence[Column]) -> None:
        """Set the columns, before the first row; raises OSError."""
        self._files = [self._open(column_file(number)) for number in range(len(columns))]
        self._state.rows = [bytearray() for _ in columns]
        self.columns = tuple(columns)

    def add(self, line: Line, arrays: Sequence[np.ndarray] = ()) -> None:
        """Add an input, with an array of the right dtype and shape for each column if it has a row."""
        state = self._state
        for rows, array in zip(state.rows, arrays, strict=False):
            rows.extend(array.tobytes())
        state.lines.append(line)

    def commit(self) -> None:
        """Write what was added: the rows, then their lines; raises OSError."""
        state = self._state
        if not state.lines:
            return
        # Ctrl-C between a row and its line leaves more rows in memory than lines.
        count = sum(line.error is None for line in state.lines)
        for file, column, rows in zip(self._files, self.columns, state.rows, strict=True):
            _write_at(file, state.count * column.nbytes, memoryview(rows)[: count * column.nbytes])
        lines = b"".join(line.encode() for line in state.lines)
        _write_at(self._lines, state.end, memoryview(lines))
        failed = state.failed + len(state.lines) - count
        self._state = _State(state.count + count, failed, state.end + len(lines), [bytearray() for _ in self.columns])

    def lines(self) -> Iterator[Line]:
        """The lines committed at the time of the call."""
        end = self._state.end
        with open(self.folder / LINES, "rb") as file:
            while end > 0:
                data = file.readline()
                end -= len(data)
                line = Line.decode(data)
                assert line is not None, "every line was read once when the folder was opened"
                yield line

    def rows(self, column: int, closing: contextlib.ExitStack) -> RawRows:
        """The rows of a column committed at the time of the call; raises OSError."""
        file = ByteFile(self.folder / column_file(column))
        closing.callback(file.close)
        return RawRows(file, self.columns[column].dtype, self.columns[column].shape, self.count, 0)

    def close(self) -> None:
        """Close the files without a commit."""
        self._closing.close()

    def _open(self, name: str) -> FileIO:
        path = self.folder / name
        # Not in append mode: an interrupted write is repeated at its position.
        mode: Literal["r+b", "w+b"] = "r+b" if path.exists() else "w+b"
        return self._closing.enter_context(open(path, mode, buffering=0))

    def _truncate(self) -> None:
        sizes = [os.fstat(file.fileno()).st_size for file in self._files]
        complete = [size // column.nbytes for size, column in zip(sizes, self.columns, strict=True) if column.nbytes]
        # Empty rows are always complete.
        limit = min(complete, default=sys.maxsize if self.columns else 0)
        state = self._state
        with open(self.folder / LINES, "rb") as file:
            for data in file:
                line = Line.decode(data)
                if line is None or (line.error is None and state.count == limit):
                    break
                state.count += line.error is None
                state.failed += line.error is not None
                state.end += len(data)
        self._lines.truncate(state.end)
        for numbers, column in zip(self._files, self.columns, strict=True):
            numbers.truncate(state.count * column.nbytes)


def column_file(number: int) -> str:
    """The file of a column; not its name, which may have any characters."""
    return f"column{number}.bin"


def _write_at(file: FileIO, offset: int, data: memoryview) -> None:
    """Write all of it, which may take several calls."""
    file.seek(offset)
    while data:
        data = data[file.write(data) :]
