"""The k best of what comes block by block, for several queries at once, in memory that k alone decides."""

from __future__ import annotations

import numpy as np


class Top:
    """For each query the best scores so far and their rows. Of equal scores those of smaller rows are kept."""

    def __init__(self, queries: int, count: int) -> None:
        """Begin with nothing.

        Args:
            queries: how many.
            count: scores to keep for each, at least 1.
        """
        self._count = count
        self._scores = [np.empty(0, np.float32) for _ in range(queries)]
        self._rows = [np.empty(0, np.int64) for _ in range(queries)]
        # A score must be above this to be kept.
        self._limits = np.full(queries, -np.inf, np.float32)

    def add(self, first: int, table: np.ndarray) -> None:
        """Take in the scores of a block.

        Args:
            first: the row of the block's first vector, which is above all that came before.
            table: float32 (queries, n); minus infinity is never kept.
        """
        if not table.shape[1]:
            return
        # Of most blocks nothing is good enough, which their best scores tell for all rows at once.
        for query in np.flatnonzero(table.max(axis=1) > self._limits):
            row = table[query]
            at = np.flatnonzero(row > self._limits[query])
            # Later rows stand behind, so that the order of equal scores is that of the rows.
            scores = np.concatenate([self._scores[query], row[at]])
            rows = np.concatenate([self._rows[query], at + first])
            kept = _best(scores, self._count)
            self._scores[query], self._rows[query] = scores[kept], rows[kept]
            if len(kept) == self._count:
                self._limits[query] = self._scores[query].min()

    def rows(self, query: int) -> np.ndarray:
        """The rows that a query keeps, ascending: int64 (n,), at most as many as asked for."""
        return self._rows[query]


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """Where the best scores stand, in order of their places; of equal ones the first."""
    if len(scores) <= count:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    above, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    return np.sort(np.concatenate([above, equal[: count - len(above)]]))
