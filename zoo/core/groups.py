"""Groups of things that belong together: connected components of pairs, and equal keys."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np


def merge_labels(labels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Component of each node, integers (n,), after more edges, (m, 2), join some; begin with ``np.arange(n)``."""
    if not len(pairs):
        return labels
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # Only the components that are joined make the graph, so that a few edges among a million nodes cost little.
    joined, ends = np.unique(labels[np.asarray(pairs)], return_inverse=True)
    graph = coo_array((np.ones(len(pairs), bool), tuple(ends.reshape(-1, 2).T)), shape=(len(joined), len(joined)))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    relabelled = np.arange(len(labels))
    relabelled[joined] = joined[first[component]]
    return np.asarray(relabelled[labels], np.int64)


def groups_of_labels(labels: np.ndarray) -> list[np.ndarray]:
    """Indices, int64, of each label that occurs twice or more, ascending; groups in the order of their first index."""
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    groups = [group for group in np.split(order, starts) if len(group) > 1]
    return sorted(groups, key=lambda group: int(group[0]))


def equal_groups(keys: Iterable[Hashable]) -> list[np.ndarray]:
    """Indices, int64, of each key that occurs twice or more, in the order of their first; ``None`` equals nothing."""
    members: dict[Hashable, list[int]] = {}
    for index, key in enumerate(keys):
        if key is not None:
            members.setdefault(key, []).append(index)
    return [np.array(group, np.int64) for group in members.values() if len(group) > 1]
