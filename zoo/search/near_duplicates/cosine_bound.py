"""A few numbers for each vector whose product is an upper bound of the cosine.

A unit vector is split into its projection onto a small subspace, whose coordinates are kept, and the residual, whose
length is kept. By Cauchy-Schwarz the product of the residuals is at most the product of their lengths, so the product
of these numbers is never less than the cosine: pairs below a threshold can be skipped. The subspace is spanned by the
principal directions of a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.search.pca import principal_directions, unit_sample
from zoo.vectors import Vectors

#: Numbers kept of a vector: one of these.
WIDTHS = (16, 32, 64, 128, 256)
#: Bytes that they take for all vectors at most, unless even the fewest take more.
MOST_BYTES = 512 << 20
#: Cost of one entry of the table of all pairs, and of an exact cosine for each number of a vector, in multiplications
#: of the table: 0.1 and 10 nanoseconds on a processor that takes 0.02 for one.
_LOOK, _EXACT = 5, 500
#: Added to the squared length of a residual, which rounding must not shorten.
_ROUNDING = 1e-6
#: By how much rounding may make a product too small.
SLACK = 1e-5


@dataclass(frozen=True, eq=False)
class CosineBound:
    """Projection onto a subspace with an orthonormal ``basis``, float32 (dim, n)."""

    basis: np.ndarray

    @property
    def width(self) -> int:
        """Numbers kept of a vector."""
        return int(self.basis.shape[1]) + 1

    def __call__(self, units: np.ndarray) -> np.ndarray:
        """The numbers kept, float32 (n, :attr:`width`), of unit or zero vectors, float32 (n, dim)."""
        kept = np.empty((len(units), self.width), np.float32)
        np.matmul(units, self.basis, out=kept[:, :-1])
        rest = np.einsum("ij,ij->i", units, units) - np.einsum("ij,ij->i", kept[:, :-1], kept[:, :-1])
        kept[:, -1] = np.sqrt(np.maximum(rest, 0) + _ROUNDING)
        kept[~units.any(axis=1)] = 0
        return kept


def fit_bound(vectors: Vectors, threshold: float) -> CosineBound:
    """The subspace with the least expected work for finding all pairs with a cosine of ``threshold`` or more."""
    sample = unit_sample(vectors)
    # One half of the sample gives the subspace, the other half shows how selective it is.
    fitted, held_out = sample[: (len(sample) + 1) // 2], sample[len(sample) // 2 :]
    basis = principal_directions(fitted, WIDTHS[-1] - 1)
    pairs = vectors.count * (vectors.count - 1) / 2
    costs = {}
    for width in WIDTHS:
        if width > WIDTHS[0] and 4 * width * vectors.count > MOST_BYTES:
            break
        bound = CosineBound(basis[:, : width - 1])
        kept = bound(held_out)
        near = np.count_nonzero(np.triu(kept @ kept.T >= threshold - SLACK, 1))
        share = near / max(1, len(held_out) * (len(held_out) - 1) / 2)
        costs[pairs * (bound.width + _LOOK + share * _EXACT * vectors.dim)] = bound
    return costs[min(costs)]
