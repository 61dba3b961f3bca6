"""Rows of numbers stored as in memory, read into reused buffers.

Pages of a memory map count as the process's memory and each costs a page fault: reading is twice as fast.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from zoo.core.errors import UnavailableError

#: Default bytes of a block as float32.
BLOCK = 32 << 20


class Rows:
    """Rows of equal shape with random access; a format implements :meth:`fill`."""

    count: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def fill(self, start: int, out: np.ndarray) -> None:
        """Read ``len(out)`` rows from ``start`` on into a C-contiguous array (n, *shape) of :attr:`dtype`."""
        raise NotImplementedError

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Rows in any order, int64 (n,), as (n, *shape); each is read once, in file order, neighbours together."""
        wanted, places = np.unique(rows, return_inverse=True)
        values = np.empty((len(wanted), *self.shape), self.dtype)
        for first, last in runs(wanted):
            self.fill(int(wanted[first]), values[first:last])
        return values if len(wanted) == len(rows) and (wanted == rows).all() else values[places]


class ByteFile:
    """A file with random access, also from several threads."""

    def __init__(self, path: Path, file: FileIO | None = None) -> None:
        """Open ``path``, or take over ``file``, which errors call ``path``; raises OSError."""
        self.path = path
        self.raw = file or open(path, "rb", buffering=0)  # noqa: SIM115 - close() does it
        self._lock = threading.Lock()
        self.size = os.fstat(self.raw.fileno()).st_size

    def fill(self, offset: int, memory: memoryview) -> None:
        """Read as many bytes as the memory has."""
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
        """Read ``size`` bytes; raises as :meth:`fill` does."""
        data = bytearray(size)
        self.fill(offset, memoryview(data))
        return bytes(data)

    def close(self) -> None:
        """Close the file."""
        self.raw.close()


class RawRows(Rows):
    """Rows stored without gaps, in one extent of a file or in several."""

    def __init__(
        self,
        file: ByteFile,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        count: int,
        offsets: np.ndarray | int,
        starts: np.ndarray | None = None,
    ) -> None:
        """``offsets`` of each extent in the file, its first row in ``starts``, ascending; the file is not closed."""
        self.count, self.shape, self.dtype = count, shape, dtype
        self._file = file
        self._offsets = np.atleast_1d(np.asarray(offsets, np.int64))
        self._starts = np.zeros(1, np.int64) if starts is None else np.asarray(starts, np.int64)
        self._bytes = math.prod(shape) * dtype.itemsize

    def fill(self, start: int, out: np.ndarray) -> None:
        """As :meth:`Rows.fill`."""
        if not out.nbytes:
            return
        memory = out.data.cast("B")
        row, stop = start, start + len(out)
        while row < stop:
            extent = int(np.searchsorted(self._starts, row, "right")) - 1
            end = int(self._starts[extent + 1]) if extent + 1 < len(self._starts) else self.count
            end = min(end, stop)
            offset = int(self._offsets[extent]) + (row - int(self._starts[extent])) * self._bytes
            self._file.fill(offset, memory[(row - start) * self._bytes : (end - start) * self._bytes])
            row = end


def runs(ascending: np.ndarray) -> Iterator[tuple[int, int]]:
    """(first, end) of each part of ascending numbers in which they are consecutive."""
    if len(ascending):
        edges = np.flatnonzero(np.diff(ascending) != 1) + 1
        yield from zip([0, *edges.tolist()], [*edges.tolist(), len(ascending)], strict=True)


class Buffers:
    """Arrays reused once nothing refers to them: fresh memory costs more, as the system clears it page by page."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Arrays of at most this shape (rows, …)."""
        self._shape, self._dtype = shape, dtype
        self._given: list[tuple[np.ndarray, weakref.ref[np.ndarray]]] = []

    def get(self, rows: int) -> np.ndarray:
        """An array of so many rows with arbitrary content."""
        memory = next((memory for memory, given in self._given if given() is None), None)
        if memory is None:
            memory = np.empty(math.prod(self._shape) * self._dtype.itemsize, np.uint8)
        # Views of this array refer to it and not to what is below, which is no NumPy array.
        array = np.frombuffer(memory.data, self._dtype)
        others = [(other, given) for other, given in self._given if other is not memory]
        # Two are remembered; what is held for longer belongs to its holder.
        self._given = [*others[-1:], (memory, weakref.ref(array))]
        return array.reshape(self._shape)[:rows]


def block_rows(shape: tuple[int, ...], size: int = BLOCK) -> int:
    """How many rows, as float32, make a block of ``size`` bytes; at least one."""
    return max(1, size // max(1, 4 * math.prod(shape)))
