"""Principal component analysis (PCA) of vectors that need not fit in memory (Pearson, 1901; Hotelling, 1933)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from zoo.search.metric import normalized
from zoo.vectors import Vectors

#: Default number of components, which UMAP, t-SNE and k-means start from.
COMPONENTS = 50
#: Up to this dimension the covariance matrix is computed, which takes 32 MiB and a few seconds.
EXACT = 2048
#: Beyond it, extra directions and passes over the data of randomized PCA (Halko, Martinsson and Tropp, "Finding
#: structure with randomness", 2011).
_OVERSAMPLING, _PASSES = 10, 4
#: A smaller share of the variance is float32 rounding.
_NOISE = 1e-6

#: Vectors of the sample for :func:`principal_directions`, and bytes that it takes at most.
_SAMPLE, _SAMPLE_BYTES = 4096, 128 << 20
#: Subspace iterations on the sample; more give no better subspace.
_ITERATIONS = 4

#: Reads the data again: pairs of the first row and float32 (m, dim).
Blocks = Callable[[], Iterator[tuple[int, np.ndarray]]]


@dataclass(frozen=True, eq=False)
class PCA:
    """Fitted components: ``axes``, float32 (dim, k), orthonormal, by falling variance; k may be 0."""

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def transform(self, blocks: Blocks, count: int) -> np.ndarray:
        """Coordinates along the axes, float32 (count, k)."""
        coordinates = np.empty((count, self.axes.shape[1]), np.float32)
        for start, block in blocks():
            coordinates[start : start + len(block)] = (block - self.mean.astype(np.float32)) @ self.axes
        return coordinates


def fit(blocks: Blocks, dim: int, components: int = COMPONENTS, *, seed: int = 0) -> PCA:
    """Fit in a few passes, calling ``blocks`` once for each; fewer components if the data has a lower rank."""
    count, total = 0, np.zeros(dim)
    for _, block in blocks():
        total += block.sum(axis=0, dtype=np.float64)
        count += len(block)
    mean = total / count
    solve = _covariance if dim <= EXACT else _randomized
    variances, axes, whole = solve(blocks, mean, components, seed)
    # Equal vectors differ from their mean by rounding errors only.
    kept = variances > max(_NOISE * whole, count * 1e-13 * float(mean @ mean))
    axes, share = axes[:, kept], variances[kept] / whole if kept.any() else np.zeros(0)
    largest = np.abs(axes).argmax(axis=0)
    signs = np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    return PCA(mean, (axes * signs).astype(np.float32), share)


def unit_sample(vectors: Vectors) -> np.ndarray:
    """Up to 4,096 vectors, shuffled and normalized: float32 (n, dim)."""
    size = min(vectors.count, _SAMPLE, max(2, _SAMPLE_BYTES // (4 * vectors.dim)))
    rows = np.random.default_rng(0).permutation(np.linspace(0, vectors.count - 1, size).astype(np.int64))
    return normalized(vectors.take(rows).reshape(size, vectors.dim).astype(np.float32))


def principal_directions(sample: np.ndarray, most: int) -> np.ndarray:
    """Directions of the largest variation about 0, float32 (dim, at most ``most``), orthonormal.

    Subspace iteration (Halko et al., 2011, algorithm 4.4) is faster than all eigenvectors of a large matrix.
    """
    most = min(most, *sample.shape)
    directions = np.random.default_rng(0).standard_normal((sample.shape[1], most), dtype=np.float32)
    for _ in range(_ITERATIONS):
        directions = np.linalg.qr(sample.T @ (sample @ directions))[0]
    projected = sample @ directions
    rotation = np.linalg.eigh(projected.T @ projected)[1][:, ::-1]
    return np.asarray(np.linalg.qr(directions @ rotation)[0], np.float32)


#: Variances by falling size, (k,), axes (dim, k), and the sum of all variances, each times the count.
_Solution = tuple[np.ndarray, np.ndarray, float]


def _covariance(blocks: Blocks, mean: np.ndarray, components: int, seed: int) -> _Solution:
    """The leading eigenvectors of the covariance matrix, which is accumulated over the blocks."""
    from scipy import linalg

    scatter = np.zeros((len(mean), len(mean)))
    for _, block in blocks():
        centred = block - mean.astype(np.float32)
        scatter += centred.T @ centred
    wanted = [max(0, len(mean) - components), len(mean) - 1]
    values, vectors = linalg.eigh(scatter, subset_by_index=wanted, check_finite=False)
    return values[::-1], vectors[:, ::-1], float(np.trace(scatter))


def _randomized(blocks: Blocks, mean: np.ndarray, components: int, seed: int) -> _Solution:
    """Block power iteration, without the covariance matrix."""
    directions = np.random.default_rng(seed).standard_normal((len(mean), components + _OVERSAMPLING))
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
