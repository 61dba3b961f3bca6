"""Splits a connected group into parts similar to a leader (Hartigan, Clustering Algorithms, 1975, chapter 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zoo.search.metric import inverse
from zoo.search.near_duplicates.similar_pairs import DIGITS
from zoo.vectors import Vectors

#: Vectors that are compared with as many others at once, and bytes that they take at most.
_SIZE, _BYTES = 2048, 16 << 20


@dataclass(frozen=True, eq=False)
class LeaderCluster:
    """A leader and its members, int64 (n,), as indices into the rows given, with their cosines, float64 (n,)."""

    leader: int
    members: np.ndarray
    similarities: np.ndarray


def leader_clusters(vectors: Vectors, rows: np.ndarray, threshold: float) -> Iterator[LeaderCluster]:
    """Clusters of two or more: the first row leads all that reach the threshold with it, then the next one left."""
    leader_of = np.full(len(rows), -1)
    similarity = np.zeros(len(rows))
    size = max(1, min(_SIZE, _BYTES // (8 * vectors.dim)))
    for start in range(0, len(rows), size):
        left = start + np.flatnonzero(leader_of[start : start + size] < 0)
        if not len(left):
            continue
        units = _units(vectors, rows[left])
        table = np.round(units @ units.T, DIGITS)
        leaders = []
        for place, row in enumerate(table):
            if leader_of[left[place]] < 0:
                leaders.append(place)
                near = place + 1 + np.flatnonzero((row[place + 1 :] >= threshold) & (leader_of[left[place + 1 :]] < 0))
                leader_of[left[near]], similarity[left[near]] = left[place], row[near]
                # A leader leads itself, so that no other one takes it.
                leader_of[left[place]] = left[place]
        later = start + size + np.flatnonzero(leader_of[start + size :] < 0)
        for begin in range(0, len(later), size):
            some = later[begin : begin + size]
            table = np.round(units[leaders] @ _units(vectors, rows[some]).T, DIGITS)
            first, taken = (table >= threshold).argmax(axis=0), (table >= threshold).any(axis=0)
            leader_of[some[taken]] = left[np.array(leaders)[first[taken]]]
            similarity[some[taken]] = table[first[taken], np.flatnonzero(taken)]
    order = np.argsort(leader_of, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(leader_of[order])) + 1):
        if len(members) > 1:
            leader = int(leader_of[members[0]])
            others = members[members != leader]
            yield LeaderCluster(leader, others, similarity[others])


def _units(vectors: Vectors, rows: np.ndarray) -> np.ndarray:
    """Unit vectors, float64 (n, dim)."""
    stored = vectors.take(rows).reshape(len(rows), vectors.dim).astype(np.float64)
    return np.asarray(stored * inverse(np.linalg.norm(stored, axis=1))[:, None])
