"""Few numbers for each vector that say how alike two vectors are at most.

A vector of length 1 is split into its part in a small subspace, of which the coordinates are kept, and the rest, of
which the length is kept. The product of two vectors is the product of those coordinates and that of the two rests,
which by Cauchy and Schwarz is no more than the product of their lengths. So the product of these few numbers is never
less than the cosine, and pairs for which it is below a threshold need not be looked at. The subspace is that of the
largest variation in a sample of the vectors, in which most of them nearly lie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.search.metric import inverse, lengths
from zoo.vectors import Vectors

#: Numbers that are kept of a vector: one of these.
WIDTHS = (16, 32, 64, 128, 256)
#: Bytes that they take of all vectors, at most, unless even the fewest take more.
MOST_BYTES = 512 << 20
#: Vectors of the sample, and bytes that it takes at most. One half gives the subspace, the other one says how good it
#: is.
_SAMPLE, _SAMPLE_BYTES = 4096, 128 << 20
#: What it costs to look at a pair in the table of all pairs, and to compute a cosine exactly for each number of a
#: vector, in multiplications of the table: 0.1 and 10 nanoseconds of a processor that takes 0.02 for one.
_LOOK, _EXACT = 5, 500
#: Steps towards the subspace; more make no better one.
_ITERATIONS = 4
#: Added to the square of a rest's length, as rounding must not make it shorter.
_ROUNDING = 1e-6
#: By how much rounding may make a product too small.
SLACK = 1e-5


@dataclass(frozen=True, eq=False)
class Projection:
    """A subspace: an orthonormal ``basis``, float32 (dim, n)."""

    basis: np.ndarray

    @property
    def width(self) -> int:
        """Numbers that are kept of a vector."""
        return int(self.basis.shape[1]) + 1

    def __call__(self, units: np.ndarray) -> np.ndarray:
        """What is kept of vectors.

        Args:
            units: float32 (n, dim), of length 1, or 0 for those that are like no other one.

        Returns:
            float32 (n, :attr:`width`).
        """
        kept = np.empty((len(units), self.width), np.float32)
        np.matmul(units, self.basis, out=kept[:, :-1])
        rest = np.einsum("ij,ij->i", units, units) - np.einsum("ij,ij->i", kept[:, :-1], kept[:, :-1])
        kept[:, -1] = np.sqrt(np.maximum(rest, 0) + _ROUNDING)
        # A vector without length is at right angles to everything.
        kept[~units.any(axis=1)] = 0
        return kept


def to_units(block: np.ndarray) -> np.ndarray:
    """Vectors of the length 1 in the same directions; 0 for those without length, or that are not finite.

    Args:
        block: float32 (n, dim).
    """
    factors = inverse(lengths(block))
    with np.errstate(invalid="ignore"):
        units: np.ndarray = block * factors[:, None]
    units[factors == 0] = 0
    return units


def fit(vectors: Vectors, threshold: float) -> Projection:
    """The subspace of which the least work is expected for finding all pairs of a cosine of ``threshold`` or more.

    Args:
        vectors: one or more.
        threshold: above 0, at most 1.
    """
    sample = _sample(vectors)
    learnt, other = sample[: (len(sample) + 1) // 2], sample[len(sample) // 2 :]
    basis = _principal(learnt, WIDTHS[-1] - 1)
    pairs = vectors.count * (vectors.count - 1) / 2
    costs = {}
    for width in WIDTHS:
        if width > WIDTHS[0] and 4 * width * vectors.count > MOST_BYTES:
            break
        projection = Projection(basis[:, : width - 1])
        kept = projection(other)
        near = np.count_nonzero(np.triu(kept @ kept.T >= threshold - SLACK, 1))
        share = near / max(1, len(other) * (len(other) - 1) / 2)
        costs[pairs * (projection.width + _LOOK + share * _EXACT * vectors.dim)] = projection
    return costs[min(costs)]


def principal(vectors: Vectors, most: int) -> np.ndarray:
    """The directions in which a sample of vectors, each of the length 1, varies most.

    Args:
        vectors: one or more.
        most: directions.

    Returns:
        float32 (dim, n), orthonormal; n is ``most``, or less where there are fewer.
    """
    return _principal(_sample(vectors), most)


def _sample(vectors: Vectors) -> np.ndarray:
    """Some vectors, each of the length 1, in no order: float32 (n, dim)."""
    size = min(vectors.count, _SAMPLE, max(2, _SAMPLE_BYTES // (4 * vectors.dim)))
    # Evenly over the file, whatever order it has; and mixed, so that any part of it is like the others.
    rows = np.random.default_rng(0).permutation(np.linspace(0, vectors.count - 1, size).astype(np.int64))
    return to_units(vectors.take(rows).reshape(size, vectors.dim).astype(np.float32))


def _principal(sample: np.ndarray, most: int) -> np.ndarray:
    """The directions in which vectors vary most about 0, the first ones first: float32 (dim, at most ``most``).

    By subspace iteration from random directions (Halko, Martinsson and Tropp, Finding structure with randomness, 2011,
    algorithm 4.4), as all eigenvectors of a large matrix would take longer than what they are needed for.
    """
    most = min(most, *sample.shape)
    directions = np.random.default_rng(0).standard_normal((sample.shape[1], most), dtype=np.float32)
    for _ in range(_ITERATIONS):
        directions = np.linalg.qr(sample.T @ (sample @ directions))[0]
    # Within the subspace, by variation.
    seen = sample @ directions
    return np.asarray(np.linalg.qr(directions @ np.linalg.eigh(seen.T @ seen)[1][:, ::-1])[0], np.float32)
