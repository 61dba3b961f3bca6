"""Similarity of two vectors: cosine, dot product or negative Euclidean distance. More is always nearer."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from zoo.core.errors import UsageError

#: ``cosine``: -1 to 1, and 0 with a zero vector. ``dot``: the inner product. ``euclidean``: minus the distance.
Metric = Literal["cosine", "dot", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)


def check_metric(metric: str) -> Metric:
    """Return a valid name."""
    if metric not in METRICS:
        raise UsageError(f"--metric takes {', '.join(METRICS)}. Received: {metric}")
    return metric


def squared_norms(vectors: np.ndarray) -> np.ndarray:
    """Squared L2 norms, float32 (n,), of float32 (n, dim)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.einsum("ij,ij->i", vectors, vectors))


def inverse(norms: np.ndarray) -> np.ndarray:
    """1 / norm; 0 for a norm that is zero or not finite."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        factors = 1 / norms
    return np.where((norms > 0) & np.isfinite(factors), factors, np.zeros_like(factors))


def normalized(block: np.ndarray) -> np.ndarray:
    """Unit vectors, float32 (n, dim); zeros for vectors that are zero or not finite."""
    factors = inverse(np.sqrt(squared_norms(block)))
    with np.errstate(invalid="ignore"):
        units: np.ndarray = block * factors[:, None]
    units[factors == 0] = 0
    return units


class Comparison:
    """Queries, prepared for comparison with one block of vectors after another in float32."""

    def __init__(self, queries: np.ndarray, metric: Metric) -> None:
        """``queries`` are float32 (q, dim), finite."""
        self.metric = metric
        self._queries = queries * inverse(np.sqrt(squared_norms(queries)))[:, None] if metric == "cosine" else queries

    def with_block(self, block: np.ndarray, norms: np.ndarray | None = None) -> np.ndarray:
        """float32 (q, n) ranked as :func:`scores` ranks; vectors that are not finite get minus infinity.

        For ``euclidean`` the values differ from the scores.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            table: np.ndarray = self._queries @ block.T
            if self.metric == "cosine":
                table *= inverse(np.sqrt(squared_norms(block)) if norms is None else norms)
            elif self.metric == "euclidean":
                # |q - v|² = |q|² - 2 (q·v - |v|²/2), where |q|² is the same for all vectors.
                table -= (squared_norms(block) if norms is None else norms**2) / 2
            # The sum is not finite if any entry is not.
            if not np.isfinite(table.sum()):
                table[~np.isfinite(table)] = -np.inf
        return table


def scores(queries: np.ndarray, vectors: np.ndarray, metric: Metric) -> np.ndarray:
    """Exact score, float64 (n,), of each query with the vector at its index; NaN if not finite."""
    one, other = queries.astype(np.float64), vectors.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if metric == "euclidean":
            return np.asarray(-np.sqrt(squared_norms(one - other)))
        products: np.ndarray = np.einsum("ij,ij->i", one, other)
        if metric == "dot":
            return products
        factors = inverse(np.sqrt(squared_norms(one) * squared_norms(other)))
        return np.asarray(np.clip(products * factors, -1.0, 1.0))
