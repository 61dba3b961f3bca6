"""The k best scores of a stream of blocks, for several queries at once."""

from __future__ import annotations

import numpy as np


class TopK:
    """The ``k`` best scores of each query so far and their rows; of equal scores the smaller rows are kept."""

    def __init__(self, queries: int, k: int) -> None:
        """``k`` is at least 1."""
        self._k = k
        self._scores = [np.empty(0, np.float32) for _ in range(queries)]
        self._rows = [np.empty(0, np.int64) for _ in range(queries)]
        # A score must exceed this to be kept.
        self._limits = np.full(queries, -np.inf, np.float32)

    def add(self, first: int, table: np.ndarray) -> None:
        """Add a block's scores, float32 (queries, n), whose first row is ``first``; minus infinity is never kept."""
        if not table.shape[1]:
            return
        # In most blocks no score is good enough, which the maxima tell for all queries at once.
        for query in np.flatnonzero(table.max(axis=1) > self._limits):
            row = table[query]
            at = np.flatnonzero(row > self._limits[query])
            scores = np.concatenate([self._scores[query], row[at]])
            rows = np.concatenate([self._rows[query], at + first])
            kept = _best(scores, self._k)
            self._scores[query], self._rows[query] = scores[kept], rows[kept]
            if len(kept) == self._k:
                self._limits[query] = self._scores[query].min()

    def rows(self, query: int) -> np.ndarray:
        """The rows kept for a query, int64 (n,), ascending."""
        return self._rows[query]


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k best scores, ascending; of equal scores the first."""
    if len(scores) <= k:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    return np.sort(np.concatenate([above, equal[: k - len(above)]]))
