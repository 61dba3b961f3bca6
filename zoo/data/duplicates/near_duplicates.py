"""Near-duplicates: images that look the same, or like each other's mirror image.

Perceptual hashes of all pairs are compared (two seconds for 60,000 images), then thumbnails of those left. The
threshold follows from the dataset: the number of pairs that differ by less than x grows with a power of x, so pairs
that are clearly no duplicates say below which difference less than one is expected by chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from zoo.core.groups import groups_of_labels, merge_labels
from zoo.core.hardware import processors
from zoo.data.duplicates.phash import contrast, difference, distance, may_differ_less, sketches

#: Bits in which hashes differ at most: of 600 photographs, saved at quality 15, reduced to a quarter or made brighter.
RADIUS = 8
#: Share of an image's variation by which a near-duplicate differs at most; how many times as much in one place.
TOLERANCE, LOCALLY = 0.15, 5.0
#: Images that vary by less, in grey levels, are of one colour; no two of them are compared.
FLAT = 4.0

#: Pairs with a difference between TOLERANCE and this are similar, but no duplicates.
_SIMILAR = 0.3
#: The power with which their number grows; measured: clothing 5.7, Fashion-MNIST 6.6, MNIST 7 to 8.5.
_POWER = 7
#: Candidates for each image beyond which the radius shrinks, and how far.
_MOST_CANDIDATES, _LEAST_RADIUS = 20, 2
#: Images compared with all others to estimate the threshold, how many at a time, and candidates looked at.
_SAMPLE, _SAMPLED_ROWS, _SAMPLED_PAIRS = 1024, 64, 2000
#: Rows and columns of a block of the table of all pairs, and pairs whose thumbnails are compared together.
_ROWS, _COLUMNS, _PAIRS = 512, 4096, 8192
#: Blocks that are computed ahead, for each thread.
_AHEAD = 4


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Hashes, uint64 (n,), of n images and of their mirror images, and thumbnails, uint8 (n, 16, 16[, 3])."""

    plain: np.ndarray
    mirrored: np.ndarray
    thumbs: np.ndarray

    def take(self, indices: np.ndarray) -> Fingerprints:
        """Those of some of the images, integers (m,)."""
        return Fingerprints(self.plain[indices], self.mirrored[indices], self.thumbs[indices])


def near_groups(prints: Fingerprints, *, threads: int | None = None) -> list[np.ndarray]:
    """Groups of indices, each of an image that looks like another one of them; each content is given once."""
    varied = np.flatnonzero(contrast(prints.thumbs) >= FLAT)
    prints = prints.take(varied)
    radius, tolerance = find_limits(prints)
    labels = np.arange(len(varied))
    for pairs, mirrored in _candidates(prints, radius, tolerance, threads or processors()):
        for begin in range(0, len(pairs), _PAIRS):
            part = pairs[begin : begin + _PAIRS]
            # Of a thousand copies of one image, all pairs but 999 need not be looked at.
            part = part[labels[part[:, 0]] != labels[part[:, 1]]]
            left, most = difference(prints.thumbs[part[:, 0]], _flipped(prints.thumbs[part[:, 1]], mirrored))
            same = (left <= tolerance) & (most <= LOCALLY * tolerance)
            labels = merge_labels(labels, part[same])
    return [varied[group] for group in groups_of_labels(labels)]


def is_mirrored(thumbs: np.ndarray, one: int, other: int) -> bool:
    """Whether an image looks more like the mirror image of another one than like that itself."""
    pair = np.stack([thumbs[other], thumbs[other][:, ::-1]])
    straight, mirrored = difference(thumbs[[one, one]], pair)[0]
    return bool(mirrored < straight)


def find_limits(prints: Fingerprints) -> tuple[int, float]:
    """Bits of the hashes, and :func:`difference`, below which less than one pair is expected to be by chance."""
    count = len(prints.plain)
    if count < 2:
        return RADIUS, TOLERANCE
    rows = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64))
    # Every pair is seen from both its ends.
    scale = count / (2 * len(rows))
    pairs, similar = np.zeros((2, RADIUS + 1))
    for mirrored in (False, True):
        for begin in range(0, len(rows), _SAMPLED_ROWS):
            more_pairs, more_similar = _sampled(prints, rows[begin : begin + _SAMPLED_ROWS], mirrored)
            pairs += scale * more_pairs
            similar += scale * more_similar
    enough = np.flatnonzero(np.cumsum(pairs) <= _MOST_CANDIDATES * count)
    radius = max(_LEAST_RADIUS, int(enough[-1]) if len(enough) else 0)
    expected = max(1.0, float(similar[: radius + 1].sum()))
    return radius, min(TOLERANCE, float(_SIMILAR * expected ** (-1 / _POWER)))


def _sampled(prints: Fingerprints, rows: np.ndarray, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Some images against all: pairs by the distance of their hashes, and how many of those are merely similar."""
    table = distance(prints.plain[rows, None], (prints.mirrored if mirrored else prints.plain)[None])
    table[np.arange(len(rows)), rows] = 255
    at, others = np.nonzero(table <= RADIUS)
    bits = table[at, others]
    pairs = np.bincount(bits, minlength=RADIUS + 1).astype(np.float64)
    kept = np.arange(len(at))
    if len(at) > _SAMPLED_PAIRS:
        kept = np.random.default_rng(int(rows[0])).choice(len(at), _SAMPLED_PAIRS, replace=False)
    left, _ = difference(prints.thumbs[rows[at[kept]]], _flipped(prints.thumbs[others[kept]], mirrored))
    similar = bits[kept][(left >= TOLERANCE) & (left < _SIMILAR)]
    return pairs, np.bincount(similar, minlength=RADIUS + 1) * (len(at) / max(1, len(kept)))


def _flipped(thumbs: np.ndarray, mirrored: bool) -> np.ndarray:
    return thumbs[:, :, ::-1] if mirrored else thumbs


def _candidates(prints: Fingerprints, radius: int, tolerance: float, threads: int) -> Iterator[tuple[np.ndarray, bool]]:
    """Pairs, integers (m, 2), that may be near-duplicates by hash and sketch, and whether one of them is mirrored."""
    drawn = sketches(prints.thumbs)

    def block(top: int, left: int, mirrored: bool) -> tuple[np.ndarray, bool]:
        columns = (prints.mirrored if mirrored else prints.plain)[left : left + _COLUMNS]
        table = distance(prints.plain[top : top + _ROWS, None], columns[None])
        one, other = np.divmod(np.flatnonzero(table <= radius), len(columns))
        pairs = np.stack([one + top, other + left], axis=1)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        near = np.empty(len(pairs), bool)
        for begin in range(0, len(pairs), _PAIRS):
            first, second = pairs[begin : begin + _PAIRS].T
            near[begin : begin + _PAIRS] = may_differ_less(drawn[first], _flipped(drawn[second], mirrored), tolerance)
        return pairs[near], mirrored

    count = len(prints.plain)
    corners = (
        (top, left, mirrored)
        for top in range(0, count, _ROWS)
        for left in range(top // _COLUMNS * _COLUMNS, count, _COLUMNS)
        for mirrored in (False, True)
    )
    waiting: deque[Future[tuple[np.ndarray, bool]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="compare") as pool:
        for corner in corners:
            waiting.append(pool.submit(block, *corner))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
