"""Which vectors are worked on, and how they are compared: a seeded sample of a file's rows, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    from zoo.vectors import Vectors

#: How vectors are compared: by their direction, or by their place.
Metric = Literal["cosine", "euclidean"]

#: Numbers that are in memory at a time: 32 MiB of float32.
_BLOCK = 1 << 23
#: A vector longer than this would make sums of squares too large for 32 bits; no network gives one.
_LONGEST = 1e15


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows of a file of vectors, in the order of the file.

    Attributes:
        vectors: the file.
        rows: int64 (n,), rising.
        metric: with ``"cosine"`` each vector is divided by its length, so that distances follow the angle.
        unusable: rows that were asked for and hold something that is no finite number, or far too large.
    """

    vectors: Vectors
    rows: np.ndarray
    metric: Metric = "cosine"
    unusable: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self.rows)

    @property
    def whole(self) -> bool:
        """Whether these are all the rows of the file."""
        return len(self.rows) == self.vectors.count

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """The vectors in memory-bounded pieces.

        Yields:
            (index of the first one in :attr:`rows`, float32 (m, dim)), divided by their lengths where angles count.
        """
        for start, block in _read(self.vectors, self.rows):
            yield start, _directions(block) if self.metric == "cosine" else block


def select(vectors: Vectors, *, limit: int | None = None, metric: Metric = "cosine", seed: int = 0) -> Selection:
    """All the vectors of a file, or a random sample of them, without those that hold no numbers.

    Args:
        vectors: the file.
        limit: at most so many.
        metric: how they are compared.
        seed: of the sample.

    Raises:
        UsageError: no such metric, no vectors at all, none that can be used, or a limit below 1.
    """
    if metric not in get_args(Metric):
        raise UsageError(f"--metric takes {' or '.join(get_args(Metric))}. Received: {metric}")
    if limit is not None and limit < 1:
        raise UsageError(f"The number of points is at least 1. Received: {limit}")
    if not vectors.count or not vectors.dim:
        raise UsageError(f"{vectors.path} holds no vectors; 'zoo features' makes some.")
    rows = np.arange(vectors.count)
    if limit is not None and limit < vectors.count:
        rows = np.sort(np.random.default_rng(seed).choice(vectors.count, limit, replace=False))
    usable = np.ones(len(rows), bool)
    for start, block in _read(vectors, rows):
        # What is no number is not smaller than anything either.
        usable[start : start + len(block)] = _squares(block) < _LONGEST**2
    if not usable.any():
        raise UsageError(f"None of the {len(rows):,} vectors of {vectors.path} is made of finite numbers alone.")
    return Selection(vectors, rows[usable], metric, rows[~usable])


def _directions(block: np.ndarray) -> np.ndarray:
    """Each vector divided by its length. One of zeros has no direction, and stays where it is."""
    lengths = np.sqrt(_squares(block))
    directions: np.ndarray = block / np.where(lengths > 0, lengths, 1)[:, None]
    return directions


def _squares(block: np.ndarray) -> np.ndarray:
    """Squared lengths of vectors, float32 (m,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares: np.ndarray = np.einsum("ij,ij->i", block, block)
    return squares


def _read(vectors: Vectors, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of rows as float32 (m, dim), with the index of the first."""
    if len(rows) == vectors.count:
        yield from vectors.blocks()
        return
    size = max(1, _BLOCK // vectors.dim)
    for start in range(0, len(rows), size):
        taken = vectors.take(rows[start : start + size])
        yield start, taken.reshape(len(taken), -1).astype(np.float32, copy=False)
