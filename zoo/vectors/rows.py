"""Rows of numbers that lie in a file as they lie in memory, read into memory that is used again.

A memory map would be shorter. But its pages count as the process's own memory as long as nobody needs that more, and
each costs a page fault: reading into the same few megabytes again is twice as fast, and stays small.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.core.errors import UnavailableError

#: Bytes of float32 that a block has where nobody says how many rows it should have.
BLOCK = 32 << 20


class Rows(Protocol):
    """Rows of equal shape that can be read from anywhere."""

    count: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def fill(self, start: int, out: np.ndarray) -> None:
        """Read ``len(out)`` rows from ``start`` on into an array (n, *shape) of the rows' dtype, C-contiguous."""

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Read rows in any order, int64 (n,), each from 0 to ``count`` - 1; (n, *shape)."""


class ByteFile:
    """A file that is read from anywhere, also by several threads."""

    def __init__(self, path: Path, file: FileIO | None = None) -> None:
        """Open it, or take ``file`` over; ``path`` is then what errors call it.

        Raises:
            OSError: it cannot be opened.
        """
        self.path = path
        self.raw = file or open(path, "rb", buffering=0)  # noqa: SIM115 - close() does it
        self._lock = threading.Lock()
        self.size = os.fstat(self.raw.fileno()).st_size

    def fill(self, offset: int, memory: memoryview) -> None:
        """Read as many bytes as the memory has.

        Raises:
            UnavailableError: they are not there any more, or the system does not give them.
        """
        done = 0
        try:
            with self._lock:
                self.raw.seek(offset)
                while done < len(memory):
                    count = self.raw.readinto(memory[done:])
                    if not count:
                        raise UnavailableError(f"{self.path} has become shorter while it was read.")
                    done += count
        except OSError as error:
            raise UnavailableError(f"{self.path} cannot be read: {error.strerror or error}.") from error

    def read(self, offset: int, size: int) -> bytes:
        """So many bytes; raises as :meth:`fill` does."""
        data = bytearray(size)
        self.fill(offset, memoryview(data))
        return bytes(data)

    def close(self) -> None:
        """Close it."""
        self.raw.close()


class RawRows:
    """Rows that lie in a file without gaps, in one stretch or in several."""

    def __init__(
        self,
        file: ByteFile,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        count: int,
        offsets: np.ndarray | int,
        starts: np.ndarray | None = None,
    ) -> None:
        """Nothing is read yet.

        Args:
            file: the file; it is not closed here.
            dtype: of a number.
            shape: of a row.
            count: rows.
            offsets: where in the file each stretch begins, or the only one.
            starts: the first row of each stretch, rising; not needed for a single one.
        """
        self.count, self.shape, self.dtype = count, shape, dtype
        self._file = file
        self._offsets = np.atleast_1d(np.asarray(offsets, np.int64))
        self._starts = np.zeros(1, np.int64) if starts is None else np.asarray(starts, np.int64)
        self._bytes = math.prod(shape) * dtype.itemsize

    def fill(self, start: int, out: np.ndarray) -> None:
        """As :class:`Rows` has it."""
        if not out.nbytes:
            return
        memory = out.data.cast("B")
        row, stop = start, start + len(out)
        while row < stop:
            stretch = int(np.searchsorted(self._starts, row, "right")) - 1
            end = int(self._starts[stretch + 1]) if stretch + 1 < len(self._starts) else self.count
            end = min(end, stop)
            offset = int(self._offsets[stretch]) + (row - int(self._starts[stretch])) * self._bytes
            self._file.fill(offset, memory[(row - start) * self._bytes : (end - start) * self._bytes])
            row = end

    def take(self, rows: np.ndarray) -> np.ndarray:
        """As :class:`Rows` has it."""
        return gathered(self, rows)


def gathered(source: Rows, rows: np.ndarray) -> np.ndarray:
    """Rows in any order by means of ``fill``: each is read once, in the order of the file, neighbours together."""
    wanted, places = np.unique(rows, return_inverse=True)
    values = np.empty((len(wanted), *source.shape), source.dtype)
    for first, last in runs(wanted):
        source.fill(int(wanted[first]), values[first:last])
    return values if len(wanted) == len(rows) and (wanted == rows).all() else values[places]


def runs(rising: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where rising numbers follow one another without a gap: (first, end) of each such part."""
    if len(rising):
        edges = np.flatnonzero(np.diff(rising) != 1) + 1
        yield from zip([0, *edges.tolist()], [*edges.tolist(), len(rising)], strict=True)


class Buffers:
    """Arrays to read into, whose memory is used again as soon as nobody holds one of them or a part of it any more.

    Fresh memory costs more than reading into it: the system clears it, page by page.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Arrays (rows, …) of one shape and dtype."""
        self._shape, self._dtype = shape, dtype
        self._given: list[tuple[np.ndarray, weakref.ref[np.ndarray]]] = []

    def get(self, rows: int) -> np.ndarray:
        """An array of so many rows, at most those of the shape; its content is anything."""
        memory = next((memory for memory, given in self._given if given() is None), None)
        if memory is None:
            memory = np.empty(math.prod(self._shape) * self._dtype.itemsize, np.uint8)
        # Every part of this array holds on to it, and not to what is below, because that is no array of NumPy's.
        array = np.frombuffer(memory.data, self._dtype)
        others = [(other, given) for other, given in self._given if other is not memory]
        # What is held for longer is the holder's own; two are kept that may come back soon.
        self._given = [*others[-1:], (memory, weakref.ref(array))]
        return array.reshape(self._shape)[:rows]


def block_rows(shape: tuple[int, ...], size: int = BLOCK) -> int:
    """How many rows of a shape, as float32, make a block of ``size`` bytes; at least one."""
    return max(1, size // max(1, 4 * math.prod(shape)))
