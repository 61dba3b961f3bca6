"""How near two vectors are: by their angle, their product or their distance. More is always nearer."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from zoo.core.errors import UsageError

#: ``cosine``: of the angle between them, -1 to 1, and 0 where one has no length. ``dot``: the sum of the products of
#: their numbers. ``euclidean``: minus the distance of their ends.
Metric = Literal["cosine", "dot", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)


def check(metric: str) -> Metric:
    """The metric of a name.

    Raises:
        UsageError: there is none.
    """
    if metric not in METRICS:
        raise UsageError(f"--metric takes {', '.join(METRICS)}. Received: {metric}")
    return metric


def lengths(vectors: np.ndarray) -> np.ndarray:
    """The L2 norm of each vector: float32 (n,) of float32 (n, dim)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def inverse(norms: np.ndarray) -> np.ndarray:
    """What vectors are multiplied by to have the length 1; 0 for those that have none, or no finite one."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        factors = 1 / norms
    return np.where((norms > 0) & np.isfinite(factors), factors, np.zeros_like(factors))


class Comparison:
    """Some queries, ready to be compared with one block of vectors after another, in float32."""

    def __init__(self, queries: np.ndarray, metric: Metric) -> None:
        """Take in queries.

        Args:
            queries: float32 (q, dim), finite.
            metric: what to compare by.
        """
        self.metric = metric
        self._queries = queries * inverse(lengths(queries))[:, None] if metric == "cosine" else queries

    def with_block(self, block: np.ndarray, norms: np.ndarray | None = None) -> np.ndarray:
        """Compare with a block of vectors.

        Args:
            block: float32 (n, dim).
            norms: their L2 norms, where they are known, float32 (n,).

        Returns:
            float32 (q, n), in the order of the scores of :func:`scores` for each query, though for ``euclidean`` not
            these themselves. What is compared with a vector that is not finite is minus infinity.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            table: np.ndarray = self._queries @ block.T
            if self.metric == "cosine":
                table *= inverse(lengths(block) if norms is None else norms)
            elif self.metric == "euclidean":
                # |q - v|² = |q|² - 2 (q·v - |v|²/2), of which the first is the same for all.
                table -= (np.einsum("ij,ij->i", block, block) if norms is None else norms**2) / 2
            # The sum tells at once whether there is anything that is no number.
            if not np.isfinite(table.sum()):
                table[~np.isfinite(table)] = -np.inf
        return table


def scores(queries: np.ndarray, vectors: np.ndarray, metric: Metric) -> np.ndarray:
    """How near each query is to the vector beside it, exactly: equal vectors have equal scores.

    Args:
        queries: float32 (n, dim).
        vectors: float32 (n, dim).
        metric: what to compare by.

    Returns:
        float64 (n,); not a number where a vector is not finite.
    """
    one, other = queries.astype(np.float64), vectors.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if metric == "euclidean":
            difference = one - other
            return np.asarray(-np.sqrt(np.einsum("ij,ij->i", difference, difference)))
        products: np.ndarray = np.einsum("ij,ij->i", one, other)
        if metric == "dot":
            return products
        squares = np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", other, other)
        return np.asarray(np.clip(products * inverse(np.sqrt(squares)), -1.0, 1.0))
