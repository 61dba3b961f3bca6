"""A group in which neighbours are alike, but not all are, divided so that in each part all are like its first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zoo.search.metric import inverse
from zoo.search.pairs import DIGITS
from zoo.vectors import Vectors

#: Vectors that are compared with as many others at once, and bytes that they take at most.
_SIZE, _BYTES = 2048, 16 << 20


@dataclass(frozen=True, eq=False)
class Star:
    """One of several vectors, and those that are like it.

    ``centre`` and ``others`` are places among the rows that were asked for, an integer and int64 (n,);
    ``similarities`` has the cosines of the others with the centre, float64 (n,).
    """

    centre: int
    others: np.ndarray
    similarities: np.ndarray


def divide(vectors: Vectors, rows: np.ndarray, threshold: float) -> Iterator[Star]:
    """Divide a group.

    The first row is a centre, and takes all that are like it; the first of those that are left is the next one, and so
    on.

    Args:
        vectors: where the rows are.
        rows: int64 (n,), the most wanted first.
        threshold: cosine of those that are alike.

    Yields:
        Every centre that takes others.
    """
    centre_of = np.full(len(rows), -1)
    similarity = np.zeros(len(rows))
    size = max(1, min(_SIZE, _BYTES // (8 * vectors.dim)))
    for start in range(0, len(rows), size):
        left = start + np.flatnonzero(centre_of[start : start + size] < 0)
        if not len(left):
            continue
        units = _units(vectors, rows[left])
        table = np.round(units @ units.T, DIGITS)
        centres = []
        for place, row in enumerate(table):
            if centre_of[left[place]] < 0:
                centres.append(place)
                near = place + 1 + np.flatnonzero((row[place + 1 :] >= threshold) & (centre_of[left[place + 1 :]] < 0))
                centre_of[left[near]], similarity[left[near]] = left[place], row[near]
                # A centre takes itself, so that nothing else does.
                centre_of[left[place]] = left[place]
        later = start + size + np.flatnonzero(centre_of[start + size :] < 0)
        for begin in range(0, len(later), size):
            some = later[begin : begin + size]
            table = np.round(units[centres] @ _units(vectors, rows[some]).T, DIGITS)
            first, taken = (table >= threshold).argmax(axis=0), (table >= threshold).any(axis=0)
            centre_of[some[taken]] = left[np.array(centres)[first[taken]]]
            similarity[some[taken]] = table[first[taken], np.flatnonzero(taken)]
    order = np.argsort(centre_of, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(centre_of[order])) + 1):
        if len(members) > 1:
            centre = int(centre_of[members[0]])
            others = members[members != centre]
            yield Star(centre, others, similarity[others])


def _units(vectors: Vectors, rows: np.ndarray) -> np.ndarray:
    """Vectors of the length 1: float64 (n, dim)."""
    stored = vectors.take(rows).reshape(len(rows), vectors.dim).astype(np.float64)
    return np.asarray(stored * inverse(np.linalg.norm(stored, axis=1))[:, None])
