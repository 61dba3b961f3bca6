"""What is written to a file of vectors, as every format asks for it: in blocks, and in the order of the rows."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from zoo.images.sources import Source
from zoo.images.video import times
from zoo.vectors.column import Column
from zoo.vectors.rows import block_rows

#: Bytes of float32 in a block that is written: a disk is no faster with more, and two blocks are in memory at a time.
BLOCK_BYTES = 4 << 20
#: Squares that are added in single precision.
_SUMMED = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """An image that has a row: its name, and the size in bytes and time of change in nanoseconds of its file.

    Both are -1 for what is no file.
    """

    path: str
    size: int = -1
    mtime_ns: int = -1


def stamp(source: Source) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds of an input's file, for a frame its video's; -1 for no file."""
    if not is_stored(source):
        return -1, -1
    moment = times.split(source.path)
    for path in (source.path, *(moment[:1] if moment else ())):
        with contextlib.suppress(OSError, ValueError):
            status = os.stat(path)
            return status.st_size, status.st_mtime_ns
    return -1, -1


def is_stored(source: Source) -> bool:
    """Whether an input is, or is in, a file here, which can change or vanish."""
    return source.kind in ("file", "frame")


class Content(Protocol):
    """Everything that goes into a file. Each method may be called more than once, and gives the same each time."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What is known of the vectors."""

    @property
    def columns(self) -> Sequence[Column]:
        """What there is for each image; at least one column."""

    @property
    def count(self) -> int:
        """Rows."""

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column, in blocks (n, *shape) of its dtype.

        Each has ``rows``, or as many as make about 4 MiB as float32, the last one fewer.
        """

    def entries(self) -> Iterator[Entry]:
        """The images of the rows."""

    def failures(self) -> Iterator[tuple[str, str]]:
        """The inputs without rows, each with the reason."""


@dataclass(frozen=True)
class ArrayContent:
    """Content that is in memory: an array (n, *shape) for each column, and as many entries."""

    about: Mapping[str, Any]
    columns: Sequence[Column]
    arrays: Sequence[np.ndarray]
    images: Sequence[Entry]
    failed: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        """Compare the shapes.

        Raises:
            ValueError: they do not fit one another.
        """
        for column, array in zip(self.columns, self.arrays, strict=True):
            if array.shape != (self.count, *column.shape):
                raise ValueError(f"'{column.name}' is {column.shape} for {self.count} images, not {array.shape}")

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.images)

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column, in blocks."""
        array = self.arrays[list(self.columns).index(column)]
        rows = rows or block_rows(column.shape, BLOCK_BYTES)
        for start in range(0, self.count, rows):
            yield np.ascontiguousarray(array[start : start + rows], column.dtype)

    def entries(self) -> Iterator[Entry]:
        """The images of the rows."""
        return iter(self.images)

    def failures(self) -> Iterator[tuple[str, str]]:
        """The inputs without rows."""
        return iter(self.failed)


def batched(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    """Entries in lists of ``size``, the last one shorter."""
    while block := list(islice(entries, size)):
        yield block


def norms(block: np.ndarray) -> np.ndarray:
    """L2 norms of rows (n, …), float32 (n,)."""
    flat = block.reshape(len(block), math.prod(block.shape[1:])).astype(np.float32, copy=False)
    squares = np.zeros(len(block))
    # Long sums of float32 lose digits: short ones are added in double precision.
    for start in range(0, flat.shape[1], _SUMMED):
        part = flat[:, start : start + _SUMMED]
        squares += np.einsum("ij,ij->i", part, part)
    return np.sqrt(squares).astype(np.float32)
