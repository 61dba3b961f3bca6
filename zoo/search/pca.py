"""Principal components of vectors that need not be in memory (Pearson, 1901; Hotelling, 1933)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

#: Components that are kept where nobody says how many; what UMAP and t-SNE start from.
COMPONENTS = 50
#: Up to so many dimensions the covariance is computed whole, which is 32 MiB and takes its eigenvectors seconds.
EXACT = 2048

#: Further directions that are carried along, and passes over the data, where it is not: Halko, Martinsson and Tropp,
#: "Finding structure with randomness", 2011.
_SPARE, _PASSES = 10, 4
#: Variance below this share of the whole is rounding in 32 bits.
_NOTHING = 1e-6

#: What gives the data anew: pairs of the first row and float32 (m, dim).
Blocks = Callable[[], Iterator[tuple[int, np.ndarray]]]


@dataclass(frozen=True, eq=False)
class Principal:
    """Where the vectors vary most.

    Attributes:
        mean: float64 (dim,).
        axes: float32 (dim, k), orthonormal, by falling variance; k may be 0, where all vectors are equal.
        share: float64 (k,), which share of the variance lies along each axis.
    """

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def project(self, block: np.ndarray) -> np.ndarray:
        """Coordinates along the axes: float32 (m, k) of float32 (m, dim)."""
        coordinates: np.ndarray = (block - self.mean.astype(np.float32)) @ self.axes
        return coordinates


def fit(blocks: Blocks, dim: int, components: int = COMPONENTS, *, seed: int = 0) -> Principal:
    """Find the principal components in a few passes over the data.

    Args:
        blocks: the data; called once for each pass. There is at least one vector, and all numbers are finite.
        dim: numbers in a vector.
        components: how many at most.
        seed: of the directions that are tried first, where there are more dimensions than :data:`EXACT`.

    Returns:
        As many components as the data has, or fewer. The sign of each is such that its largest number is positive.
    """
    count, total = 0, np.zeros(dim)
    for _, block in blocks():
        total += block.sum(axis=0, dtype=np.float64)
        count += len(block)
    mean = total / count
    find = _exact if dim <= EXACT else _randomized
    variances, axes, whole = find(blocks, mean, components, seed)
    # Equal vectors differ from their mean by rounding, which has directions of its own.
    noise = max(_NOTHING * whole, count * 1e-13 * float(mean @ mean))
    kept = variances > noise
    axes, share = axes[:, kept], variances[kept] / whole if kept.any() else np.zeros(0)
    largest = np.abs(axes).argmax(axis=0)
    signs = np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    return Principal(mean, (axes * signs).astype(np.float32), share)


def project(blocks: Blocks, principal: Principal, count: int) -> np.ndarray:
    """Coordinates of all vectors along the axes: float32 (count, k)."""
    coordinates = np.empty((count, principal.axes.shape[1]), np.float32)
    for start, block in blocks():
        coordinates[start : start + len(block)] = principal.project(block)
    return coordinates


#: Variances by falling size, (k,), axes (dim, k), and the sum of all variances, each times the count.
_Found = tuple[np.ndarray, np.ndarray, float]


def _exact(blocks: Blocks, mean: np.ndarray, components: int, seed: int) -> _Found:
    """By the covariance, accumulated over the blocks."""
    from scipy import linalg

    scatter = np.zeros((len(mean), len(mean)))
    for _, block in blocks():
        centred = block - mean.astype(np.float32)
        scatter += centred.T @ centred
    # Only those that are wanted, which takes a third of the time.
    wanted = [max(0, len(mean) - components), len(mean) - 1]
    values, vectors = linalg.eigh(scatter, subset_by_index=wanted, check_finite=False)
    return values[::-1], vectors[:, ::-1], float(np.trace(scatter))


def _randomized(blocks: Blocks, mean: np.ndarray, components: int, seed: int) -> _Found:
    """By block power iteration: the covariance would be too large, what it does to a few directions is not."""
    directions = np.random.default_rng(seed).standard_normal((len(mean), components + _SPARE))
    whole, scatter = 0.0, directions
    for index in range(_PASSES):
        directions = np.linalg.qr(scatter)[0]
        scatter = np.zeros_like(directions)
        for _, block in blocks():
            centred = block - mean.astype(np.float32)
            scatter += centred.T @ (centred @ directions.astype(np.float32))
            if index == 0:
                whole += float(np.vdot(centred, centred))
    small = directions.T @ scatter
    values, rotation = np.linalg.eigh((small + small.T) / 2)
    order = np.argsort(-values, kind="stable")[:components]
    return values[order], directions @ rotation[:, order], whole
