"""What is written to a file of vectors, read by every format in blocks and in row order."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np

from zoo.images.source import Source
from zoo.images.video import times
from zoo.vectors.column import Column

#: Bytes of float32 in a block that is written; more is no faster, and two blocks are in memory.
BLOCK_BYTES = 4 << 20
#: Squares that are summed in single precision.
_SUMMED = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """The image of a row: its path, and size in bytes and modification time in nanoseconds, -1 if it is no file."""

    path: str
    size: int = -1
    mtime_ns: int = -1


def stamp(source: Source) -> tuple[int, int]:
    """Size in bytes and modification time in nanoseconds of an input's file, or its video; -1 if it is no file."""
    if not is_stored(source):
        return -1, -1
    moment = times.split_moment(source.path)
    for path in (source.path, *(moment[:1] if moment else ())):
        with contextlib.suppress(OSError, ValueError):
            status = os.stat(path)
            return status.st_size, status.st_mtime_ns
    return -1, -1


def is_stored(source: Source) -> bool:
    """Whether an input is, or is in, a local file, which can change or be removed."""
    return source.kind in ("file", "frame")


class Content(Protocol):
    """Everything in a file. Each method may be called repeatedly, with the same result."""

    @property
    def about(self) -> Mapping[str, Any]:
        """Attributes of the file."""

    @property
    def columns(self) -> Sequence[Column]:
        """At least one."""

    @property
    def count(self) -> int:
        """Number of rows."""

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column in blocks (n, *shape) of its dtype; default: of about 4 MiB as float32."""

    def entries(self) -> Iterator[Entry]:
        """The image of each row."""

    def failures(self) -> Iterator[tuple[str, str]]:
        """Path and error of each input without a row."""


def batched(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    """Entries in lists of ``size``, the last one shorter."""
    while block := list(islice(entries, size)):
        yield block


def norms(block: np.ndarray) -> np.ndarray:
    """L2 norms of rows (n, …), float32 (n,)."""
    flat = block.reshape(len(block), math.prod(block.shape[1:])).astype(np.float32, copy=False)
    squares = np.zeros(len(block))
    # Long sums in float32 lose digits: short ones are added up in float64.
    for start in range(0, flat.shape[1], _SUMMED):
        part = flat[:, start : start + _SUMMED]
        squares += np.einsum("ij,ij->i", part, part)
    return np.sqrt(squares).astype(np.float32)


def column_norms(content: Content) -> np.ndarray:
    """L2 norms of the first column, float32 (n,)."""
    return np.concatenate([np.empty(0, np.float32), *map(norms, content.blocks(content.columns[0]))])
