"""All pairs of vectors that are nearly parallel, without looking at each pair in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from zoo.search.bounds import SLACK, fit, to_units
from zoo.search.metric import scores
from zoo.search.threads import in_order, one_each
from zoo.search.union_find import Forest
from zoo.vectors import Vectors

#: Called with the pairs that are done, and those that there are.
Progress = Callable[[int, int], None]

#: Digits after the point of a similarity: what reaches a threshold when it is rounded reaches it.
DIGITS = 6
#: Bytes of vectors that are few.
_SMALL = 32 << 20
#: Rows and columns of the table of all pairs that are worked on together.
_ROWS, _COLUMNS = 512, 2048
#: Pairs that are gathered before they are looked at, and bytes of the vectors that are then in memory.
_GATHERED, _EXACT = 1 << 15, 16 << 20


def similar_groups(
    vectors: Vectors, threshold: float, *, threads: int | None = None, progress: Progress | None = None
) -> list[np.ndarray]:
    """Vectors with a cosine of ``threshold`` or more, and all that are connected by such pairs.

    No pair is missed (:mod:`zoo.search.bounds`), and each one that is found was computed from the vectors as
    they are stored. Vectors without length, or that are not finite, are like no other one.

    Args:
        vectors: where to look. Memory is what :data:`~zoo.search.bounds.MOST_BYTES` says, and 200 MiB.
        threshold: above 0, at most 1.
        threads: how many compare; the number of processors without.
        progress: told how far it is.

    Returns:
        the rows of each group of two or more, int64, ascending; groups in the order of their first.
    """
    forest = Forest(vectors.count)
    if vectors.count < 2:
        return []
    gathered: list[tuple[np.ndarray, np.ndarray]] = []
    pairs = vectors.count * (vectors.count - 1) // 2
    with one_each():
        kept = _kept(vectors, threshold, threads)
        for ones, others, done in _candidates(kept, threshold - SLACK, threads):
            apart = forest.apart(ones, others)
            gathered.append((ones[apart], others[apart]))
            if sum(len(some) for some, _ in gathered) >= _GATHERED:
                _join(forest, vectors, gathered, threshold)
                gathered = []
            if progress is not None:
                progress(min(done, pairs), pairs)
        _join(forest, vectors, gathered, threshold)
    return forest.groups()


def similarities(vectors: Vectors, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The cosines of pairs of vectors, rounded: float64 (n,) of rows int64 (n,), as many as there is memory for."""
    different, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
    stored = vectors.take(different).reshape(len(different), vectors.dim)
    exact = scores(stored[place[: len(ones)]], stored[place[len(ones) :]], "cosine")
    return np.round(exact, DIGITS)


def _join(forest: Forest, vectors: Vectors, gathered: list[tuple[np.ndarray, np.ndarray]], threshold: float) -> None:
    """Look at pairs, and join those that are alike."""
    if not gathered:
        return
    ones, others = (np.concatenate(side) for side in zip(*gathered, strict=True))
    # Near pairs share their vectors, and are read together.
    order = np.lexsort((others, ones))
    size = max(1, _EXACT // (8 * vectors.dim))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        # Of a thousand copies of one image, all pairs but 999 need not be looked at.
        part = part[forest.apart(ones[part], others[part])]
        alike = part[similarities(vectors, ones[part], others[part]) >= threshold]
        forest.join(ones[alike], others[alike])


def _kept(vectors: Vectors, threshold: float, threads: int | None) -> np.ndarray:
    """What is kept of each vector to find candidates: float32 (n, width)."""
    # Of few vectors all pairs are compared in the time that it takes to find a subspace.
    small = 4 * vectors.count * vectors.dim <= _SMALL
    projection = None if small else fit(vectors, threshold)

    def reduced(item: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
        first, block = item
        units = to_units(block)
        return first, projection(units) if projection else units

    kept: np.ndarray | None = None
    for first, rows in in_order(reduced, vectors.blocks(), threads):
        if kept is None:
            kept = np.empty((vectors.count, rows.shape[1]), np.float32)
        kept[first : first + len(rows)] = rows
    assert kept is not None
    return kept


def _candidates(kept: np.ndarray, least: float, threads: int | None) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Pairs whose product is ``least`` or more, block by block, and how many pairs are done."""
    count = len(kept)

    def compare(corner: tuple[int, int]) -> tuple[int, int, np.ndarray]:
        top, left = corner
        table = kept[top : top + _ROWS] @ kept[left : left + _COLUMNS].T
        # As integers of half the size: of a block of copies, all are candidates and wait.
        return top, left, np.flatnonzero(table >= least).astype(np.int32)

    corners = (
        (top, left)
        for top in range(0, count, _ROWS)
        for left in range(top // _COLUMNS * _COLUMNS, count, _COLUMNS)
    )  # fmt: skip
    done = 0
    for top, left, at in in_order(compare, corners, threads):
        columns = min(_COLUMNS, count - left)
        ones, others = np.divmod(at.astype(np.int64), columns)
        ones, others = ones + top, others + left
        done += min(_ROWS, count - top) * columns
        once = ones < others
        yield ones[once], others[once], done
