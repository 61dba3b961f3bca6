"""Which of many things belong together, from pairs that do: a forest of trees, one for each group.

Tarjan, Efficiency of a good but not linear set union algorithm, 1975.
"""

from __future__ import annotations

import numpy as np


class Forest:
    """Things with the numbers 0 to n - 1, at first each by itself."""

    def __init__(self, count: int) -> None:
        """``count`` things, none of which belongs to another one."""
        self._parents = np.arange(count)

    def apart(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Which pairs are not in one group yet: bool (n,) of integers (n,)."""
        return np.asarray(self._roots(ones) != self._roots(others))

    def join(self, ones: np.ndarray, others: np.ndarray) -> None:
        """Make one group of those of the two things of each pair."""
        pairs = np.sort(np.stack([self._roots(ones), self._roots(others)], axis=1), axis=1)
        for one, other in np.unique(pairs, axis=0).tolist():
            first, second = sorted((self._root(one), self._root(other)))
            self._parents[second] = first

    def groups(self) -> list[np.ndarray]:
        """The numbers of the things of each group of two or more, ascending; groups in the order of their first."""
        roots = self._roots(np.arange(len(self._parents)))
        order = np.argsort(roots, kind="stable")
        starts = np.flatnonzero(np.diff(roots[order])) + 1
        return [group for group in np.split(order, starts) if len(group) > 1]

    def _roots(self, things: np.ndarray) -> np.ndarray:
        """The root of each thing's tree, which becomes its parent: the next way there is short."""
        roots = self._parents[things]
        while not np.array_equal(above := self._parents[roots], roots):
            roots = above
        self._parents[things] = roots
        return np.asarray(roots)

    def _root(self, thing: int) -> int:
        while (parent := int(self._parents[thing])) != thing:
            thing = parent
        return thing
