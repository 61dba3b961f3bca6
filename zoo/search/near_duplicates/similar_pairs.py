"""All pairs of vectors above a cosine threshold, without computing every cosine in full."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo.core.groups import groups_of_labels, merge_labels
from zoo.core.progress import Progress
from zoo.search.metric import normalized, scores
from zoo.search.near_duplicates.cosine_bound import SLACK, fit_bound
from zoo.search.threads import in_order, single_threaded_blas
from zoo.vectors import Vectors

#: Decimals of a similarity; it is compared with the threshold after rounding.
DIGITS = 6
#: Bytes of float32 up to which vectors are compared as they are, without a bound.
_SMALL = 32 << 20
#: Rows and columns of the similarity matrix that are computed together.
_ROWS, _COLUMNS = 512, 2048
#: Candidate pairs that are collected before they are verified, and bytes of vectors in memory while verifying.
_COLLECTED, _EXACT = 1 << 15, 16 << 20


def similar_groups(
    vectors: Vectors, threshold: float, *, threads: int | None = None, progress: Progress | None = None
) -> list[np.ndarray]:
    """Rows, int64 ascending, of each connected component of the graph joining cosines of ``threshold`` or more.

    No pair is missed, and every pair is verified with the vectors as stored. Zero and non-finite vectors have no pairs.
    Memory: :data:`~zoo.search.near_duplicates.cosine_bound.MOST_BYTES` and 200 MiB.
    """
    if vectors.count < 2:
        return []
    labels = np.arange(vectors.count)
    collected: list[np.ndarray] = []
    total = vectors.count * (vectors.count - 1) // 2
    with single_threaded_blas():
        reduced = _reduced(vectors, threshold, threads)
        for pairs, done in _candidates(reduced, threshold - SLACK, threads):
            collected.append(pairs[_apart(labels, pairs)])
            if sum(map(len, collected)) >= _COLLECTED:
                labels = _verified(labels, vectors, np.concatenate(collected), threshold)
                collected = []
            if progress is not None:
                progress(min(done, total), total)
        if collected:
            labels = _verified(labels, vectors, np.concatenate(collected), threshold)
    return groups_of_labels(labels)


def similarities(vectors: Vectors, pairs: np.ndarray) -> np.ndarray:
    """Rounded cosines, float64 (n,), of pairs of rows, int64 (n, 2), whose vectors fit in memory."""
    rows, place = np.unique(pairs, return_inverse=True)
    stored = vectors.take(rows).reshape(len(rows), vectors.dim)
    ones, others = place.reshape(-1, 2).T
    return np.round(scores(stored[ones], stored[others], "cosine"), DIGITS)


def _apart(labels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Which pairs are not in one component yet."""
    return np.asarray(labels[pairs[:, 0]] != labels[pairs[:, 1]])


def _verified(labels: np.ndarray, vectors: Vectors, pairs: np.ndarray, threshold: float) -> np.ndarray:
    """Component labels after the candidates that reach the threshold are joined."""
    # Pairs of close rows share vectors and are read together.
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    size = max(1, _EXACT // (8 * vectors.dim))
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        # A thousand copies of one image are joined by 999 pairs; the other pairs need no verification.
        part = part[_apart(labels, part)]
        if len(part):
            labels = merge_labels(labels, part[similarities(vectors, part) >= threshold])
    return labels


def _reduced(vectors: Vectors, threshold: float, threads: int | None) -> np.ndarray:
    """The numbers of each vector that candidates are found with: float32 (n, width)."""
    small = 4 * vectors.count * vectors.dim <= _SMALL
    bound = None if small else fit_bound(vectors, threshold)

    def reduce(item: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
        first, block = item
        units = normalized(block)
        return first, bound(units) if bound else units

    reduced = np.empty((vectors.count, bound.width if bound else vectors.dim), np.float32)
    for first, rows in in_order(reduce, vectors.blocks(), threads):
        reduced[first : first + len(rows)] = rows
    return reduced


def _candidates(reduced: np.ndarray, least: float, threads: int | None) -> Iterator[tuple[np.ndarray, int]]:
    """Pairs, int64 (n, 2), whose product is ``least`` or more, tile by tile, and how many pairs were compared."""
    count = len(reduced)

    def compare(corner: tuple[int, int]) -> tuple[int, int, np.ndarray]:
        top, left = corner
        table = reduced[top : top + _ROWS] @ reduced[left : left + _COLUMNS].T
        # int32 takes half the memory: in a tile of copies every pair is a candidate.
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
        pairs = np.stack([ones + top, others + left], axis=1)
        done += min(_ROWS, count - top) * columns
        yield pairs[pairs[:, 0] < pairs[:, 1]], done
