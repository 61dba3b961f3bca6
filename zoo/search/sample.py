"""The vectors that a map or clusters are computed from: a seeded random sample of a file, read in blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from zoo.core.errors import UsageError
from zoo.search import pca
from zoo.search.metric import normalized, squared_norms
from zoo.vectors import Vectors

#: Euclidean distance, of normalized vectors with ``"cosine"``.
Metric = Literal["cosine", "euclidean"]

#: Why an image is neither on a map nor in a cluster.
UNUSABLE = "its vector contains NaN or infinite values"
#: Numbers in a block: 32 MiB of float32.
_BLOCK = 1 << 23
#: Squared norm up to which sums of squares fit in float32.
_LARGEST = 1e30


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a file, int64 (n,), ascending; ``unusable`` ones were drawn but are not finite, or far too large."""

    vectors: Vectors
    rows: np.ndarray
    metric: Metric
    unusable: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Pairs of an index into :attr:`rows` and float32 (m, dim), in bounded memory."""
        for start, block in _read(self.vectors, self.rows):
            yield start, normalized(block) if self.metric == "cosine" else block

    def paths(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The paths of the rows, and those of the unusable ones."""
        rows, unusable = (
            tuple(self.vectors.paths[row] for row in kind.tolist()) for kind in (self.rows, self.unusable)
        )
        return rows, unusable

    def components(self, seed: int) -> tuple[np.ndarray, float]:
        """Principal components of the vectors, float32 (n, k), and their share of the variance."""
        fitted = pca.fit(self.blocks, self.vectors.dim, seed=seed)
        return fitted.transform(self.blocks, len(self)), float(fitted.share.sum())


def draw(vectors: Vectors, *, limit: int | None = None, metric: Metric = "cosine", seed: int = 0) -> Sample:
    """All vectors of a file, or a random sample of ``limit``, without those that are not finite."""
    if metric not in get_args(Metric):
        raise UsageError(f"--metric takes {' or '.join(get_args(Metric))}. Received: {metric}")
    if limit is not None and limit < 1:
        raise UsageError(f"The number of points is at least 1. Received: {limit}")
    if not vectors.count or not vectors.dim:
        raise UsageError(f"{vectors.path} holds no vectors; 'zoo features' computes some.")
    rows = np.arange(vectors.count)
    if limit is not None and limit < vectors.count:
        rows = np.sort(np.random.default_rng(seed).choice(vectors.count, limit, replace=False))
    usable = np.ones(len(rows), bool)
    for start, block in _read(vectors, rows):
        # NaN compares false.
        usable[start : start + len(block)] = squared_norms(block) < _LARGEST
    if not usable.any():
        raise UsageError(f"None of the {len(rows):,} vectors of {vectors.path} is made of finite numbers alone.")
    return Sample(vectors, rows[usable], metric, rows[~usable])


def _read(vectors: Vectors, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Rows as float32 (m, dim), with the index of the first."""
    if len(rows) == vectors.count:
        yield from vectors.blocks()
        return
    size = max(1, _BLOCK // vectors.dim)
    for start in range(0, len(rows), size):
        taken = vectors.take(rows[start : start + size])
        yield start, taken.reshape(len(taken), -1).astype(np.float32, copy=False)


def folder_name(path: str) -> str:
    """The name of the folder that an image is in; ``.`` if its path has none."""
    parts = re.split(r"[/\\]", path)
    return (parts[-2] if len(parts) > 1 else "") or "."
