"""What is done so far, in a folder: one file of numbers for each column, and one of lines for the inputs, in order.

* ``column0.bin``, ``column1.bin``, …: the rows, one behind the other, without anything between them.
* ``rows.jsonl``: one line for each input: ``{"size": …, "mtime_ns": …, "path": …}``, or ``{"error": …, "path": …}``.
  Where an input replaces a row of an older file it has a further key, ``row``.

Files are only ever added to: first the rows, then their lines. Whatever happens, each file is the beginning of what it
should be, and opening cuts all of them back to the last row that all of them have. That holds for a process that is
killed, whose bytes the system has already; and for a power cut too, because a file system that keeps a journal makes a
file longer only when its bytes are on the disk. So nothing here waits for the disk (``fsync``): what a power cut can
take is the last half minute of work, and never what was done before.
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
    """What became of one input: the size and time of its file, or the reason why it has no row."""

    path: str
    size: int = -1
    mtime_ns: int = -1
    error: str | None = None
    #: The row of the older file that this replaces.
    row: int | None = None

    def encode(self) -> bytes:
        """The line, with its end."""
        values: dict[str, Any]
        values = {"size": self.size, "mtime_ns": self.mtime_ns} if self.error is None else {"error": self.error}
        if self.row is not None:
            values["row"] = self.row
        return json.dumps({**values, "path": self.path}).encode() + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Line | None:
        """The line; ``None`` where it is not whole."""
        if not data.endswith(b"\n"):
            return None
        try:
            return cls(**json.loads(data.decode()))
        except (ValueError, TypeError):
            return None


@dataclass
class _Now:
    """What is committed, and what is not yet: replaced as a whole, so that Ctrl-C finds the one state or the other."""

    count: int = 0
    failed: int = 0
    #: Where the lines end in their file.
    end: int = 0
    rows: list[bytearray] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


class Log:
    """The folder, open for adding to it. Nothing is in memory but what is not committed yet."""

    def __init__(self, folder: Path, columns: Sequence[Column] = ()) -> None:
        """Open the files of a folder, which are made where they are not there, and cut them to what all have.

        Raises:
            OSError: they cannot be opened.
        """
        self.folder = folder
        self._closing = contextlib.ExitStack()
        self._now = _Now()
        self.columns: tuple[Column, ...] = ()
        self._files: list[FileIO] = []
        try:
            self._lines = self._open(LINES)
            self.declare(columns)
            self._cut()
        except BaseException:
            self.close()
            raise

    @property
    def count(self) -> int:
        """Rows that are committed."""
        return self._now.count

    @property
    def failed(self) -> int:
        """Inputs without a row that are committed."""
        return self._now.failed

    @property
    def pending(self) -> int:
        """Bytes of rows, and a few for each line, that are not committed yet."""
        return sum(map(len, self._now.rows)) + 100 * len(self._now.lines)

    def declare(self, columns: Sequence[Column]) -> None:
        """Say what a row consists of, before the first one.

        Raises:
            OSError: a file cannot be opened.
        """
        self._files = [self._open(column_file(number)) for number in range(len(columns))]
        self._now.rows = [bytearray() for _ in columns]
        self.columns = tuple(columns)

    def add(self, line: Line, arrays: Sequence[np.ndarray] = ()) -> None:
        """Add what became of an input, with an array of its dtype and shape for each column where it has a row."""
        now = self._now
        for rows, array in zip(now.rows, arrays, strict=False):
            rows.extend(array.tobytes())
        now.lines.append(line)

    def commit(self) -> None:
        """Write what was added: the rows, then their lines.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        now = self._now
        if not now.lines:
            return
        # Where Ctrl-C came between a row and its line there is more in memory than these.
        count = sum(line.error is None for line in now.lines)
        for file, column, rows in zip(self._files, self.columns, now.rows, strict=True):
            _write_at(file, now.count * column.nbytes, memoryview(rows)[: count * column.nbytes])
        lines = b"".join(line.encode() for line in now.lines)
        _write_at(self._lines, now.end, memoryview(lines))
        failed = now.failed + len(now.lines) - count
        self._now = _Now(now.count + count, failed, now.end + len(lines), [bytearray() for _ in self.columns])

    def lines(self) -> Iterator[Line]:
        """What is committed at the moment of the call, in order."""
        end = self._now.end
        with open(self.folder / LINES, "rb") as file:
            while end > 0:
                data = file.readline()
                end -= len(data)
                line = Line.decode(data)
                assert line is not None, "every line was read once when the folder was opened"
                yield line

    def rows(self, column: int, closing: contextlib.ExitStack) -> RawRows:
        """Reads the rows of a column that are committed at the moment of the call.

        Raises:
            OSError: the file cannot be opened.
        """
        file = ByteFile(self.folder / column_file(column))
        closing.callback(file.close)
        return RawRows(file, self.columns[column].dtype, self.columns[column].shape, self.count, 0)

    def close(self) -> None:
        """Close the files, without a commit."""
        self._closing.close()

    def _open(self, name: str) -> FileIO:
        path = self.folder / name
        # Not in append mode, because what was interrupted is written again at its place.
        mode: Literal["r+b", "w+b"] = "r+b" if path.exists() else "w+b"
        return self._closing.enter_context(open(path, mode, buffering=0))

    def _cut(self) -> None:
        """Cut every file to what all of them have."""
        sizes = [os.fstat(file.fileno()).st_size for file in self._files]
        whole = [size // column.nbytes for size, column in zip(sizes, self.columns, strict=True) if column.nbytes]
        # Rows without numbers are always there.
        limit = min(whole, default=sys.maxsize if self.columns else 0)
        now = self._now
        with open(self.folder / LINES, "rb") as file:
            for data in file:
                line = Line.decode(data)
                if line is None or (line.error is None and now.count == limit):
                    break
                now.count += line.error is None
                now.failed += line.error is not None
                now.end += len(data)
        self._lines.truncate(now.end)
        for column_file_, column in zip(self._files, self.columns, strict=True):
            column_file_.truncate(now.count * column.nbytes)


def column_file(number: int) -> str:
    """The name of a column's file; a layer's name may have any characters."""
    return f"column{number}.bin"


def _write_at(file: FileIO, offset: int, data: memoryview) -> None:
    """Write all of it; the system may take it in parts."""
    file.seek(offset)
    while data:
        data = data[file.write(data) :]
