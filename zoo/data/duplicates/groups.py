"""Which images of many are the same: byte for byte, or to the eye.

Copies to the eye are found in two steps. Perceptual hashes (:mod:`zoo.data.duplicates.phash`) of all pairs are compared, which
takes two seconds for 60,000 images and is quadratic, but cheaper than decoding them up to millions. Of the pairs that
are left, thumbnails are compared, and decide.

How alike two images must be follows from the dataset. Among photographs nothing comes near a copy but a copy; among
60,000 digits on black, some pairs are by chance as alike as an image and its recompressed copy. The number of pairs
with a difference below x grows with a power of x, so that from the pairs that are plainly no copies it can be said
below which difference less than one is to be expected by chance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from zoo.core.hardware import processors
from zoo.data.duplicates.phash import contrast, difference, distance, may_differ_less, sketches

#: Bits in which the hashes of copies differ at most. Of 600 photographs, no copy was farther away that had been saved
#: at quality 15, reduced to a quarter, or made darker or brighter by 0.85 and 1.15.
RADIUS = 8
#: Share of an image's variation by which a copy differs at most (:func:`zoo.data.duplicates.phash.difference`), and how many
#: times as much it may differ in one place: a print on a shirt makes another shirt of it.
TOLERANCE, LOCALLY = 0.15, 5.0
#: Images that vary by less, in grey levels, are of one colour, and all alike.
FLAT = 4.0

#: Between TOLERANCE and this difference pairs are alike, and no copies.
_ALIKE = 0.3
#: The power with which their number grows: 5.7 was measured for photographs of clothing, 6.6 for Fashion-MNIST, and 7
#: to 8.5 for MNIST.
_POWER = 7
#: Candidates for each image beyond which the radius shrinks, and how far.
_MOST_CANDIDATES, _LEAST_RADIUS = 20, 2
#: Images that are compared with all others to find out how alike they are; so many of them together, of whose
#: candidates so many are looked at.
_SAMPLE, _SAMPLED_ROWS, _SAMPLED_PAIRS = 1024, 64, 2000
#: Rows and columns of the table of all pairs that are worked on together, and pairs whose thumbnails are.
_ROWS, _COLUMNS, _PAIRS = 512, 4096, 8192
#: Blocks that wait to be looked at, for each thread.
_AHEAD = 4


@dataclass(frozen=True, eq=False)
class Looks:
    """What is kept of n images to tell whether they look the same.

    ``plain`` and ``mirrored`` are their hashes and those of their mirror images, uint64 (n,); ``thumbs`` is uint8
    (n, 16, 16, 3), or (n, 16, 16) where all are grey.
    """

    plain: np.ndarray
    mirrored: np.ndarray
    thumbs: np.ndarray

    def take(self, indices: np.ndarray) -> Looks:
        """Those of some of the images, integers (m,)."""
        return Looks(self.plain[indices], self.mirrored[indices], self.thumbs[indices])


@dataclass(frozen=True)
class Limits:
    """What two images have to keep to be copies of each other: bits of the hashes, and :func:`difference`."""

    radius: int
    tolerance: float


def exact_groups(digests: Sequence[bytes | None]) -> list[np.ndarray]:
    """Images with the same contents.

    Args:
        digests: of each image's bytes; ``None`` where it could not be read.

    Returns:
        the indices of two or more for each content that occurs so often, in order.
    """
    members: dict[bytes, list[int]] = {}
    for index, digest in enumerate(digests):
        if digest is not None:
            members.setdefault(digest, []).append(index)
    return [np.array(group) for group in members.values() if len(group) > 1]


def near_groups(looks: Looks, *, threads: int | None = None) -> list[np.ndarray]:
    """Images that look the same, or like each other's mirror image.

    Args:
        looks: n images, each content once.
        threads: how many compare; the number of processors without.

    Returns:
        indices of two or more images, each of which looks like another one of them, in order.
    """
    varied = np.flatnonzero(contrast(looks.thumbs) >= FLAT)
    looks = looks.take(varied)
    limits = find_limits(looks)
    parents = np.arange(len(varied))
    for one, other, mirrored in _candidates(looks, limits, threads or processors()):
        for begin in range(0, len(one), _PAIRS):
            a, b = one[begin : begin + _PAIRS], other[begin : begin + _PAIRS]
            # Of a thousand copies of one image, all pairs but 999 need not be looked at.
            parents = _flattened(parents)
            apart = parents[a] != parents[b]
            a, b = a[apart], b[apart]
            same = _is_same(looks.thumbs, a, b, limits.tolerance, mirrored=mirrored)
            for first, second in zip(a[same].tolist(), b[same].tolist(), strict=True):
                _join(parents, first, second)
    return [varied[group] for group in _groups(_flattened(parents))]


def is_mirrored(thumbs: np.ndarray, one: int, other: int) -> bool:
    """Whether an image looks more like the mirror image of another one than like that itself."""
    pair = thumbs[[other, other]].copy()
    pair[1] = pair[1, :, ::-1]
    straight, mirrored = difference(thumbs[[one, one]], pair)[0]
    return bool(mirrored < straight)


def find_limits(looks: Looks) -> Limits:
    """How alike copies must be, so that less than one pair is expected to be so by chance."""
    count = len(looks.plain)
    if count < 2:
        return Limits(RADIUS, TOLERANCE)
    rows = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64))
    # Every pair is seen from both its ends.
    scale = count / (2 * len(rows))
    pairs = np.zeros(RADIUS + 1)
    alike = np.zeros(RADIUS + 1)
    for mirrored in (False, True):
        for begin in range(0, len(rows), _SAMPLED_ROWS):
            more, merely = _sampled(looks, rows[begin : begin + _SAMPLED_ROWS], mirrored)
            pairs += scale * more
            alike += scale * merely
    enough = np.flatnonzero(np.cumsum(pairs) <= _MOST_CANDIDATES * count)
    radius = max(_LEAST_RADIUS, int(enough[-1]) if len(enough) else 0)
    expected = max(1.0, float(alike[: radius + 1].sum()))
    return Limits(radius, min(TOLERANCE, float(_ALIKE * expected ** (-1 / _POWER))))


def _sampled(looks: Looks, rows: np.ndarray, mirrored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Some images against all: pairs by the distance of their hashes, and how many of those are merely alike.

    Returns:
        two arrays, float64 (RADIUS + 1,).
    """
    table = distance(looks.plain[rows, None], (looks.mirrored if mirrored else looks.plain)[None])
    table[np.arange(len(rows)), rows] = 255
    at, others = np.nonzero(table <= RADIUS)
    bits = table[at, others]
    pairs = np.bincount(bits, minlength=RADIUS + 1).astype(np.float64)
    if len(at) > _SAMPLED_PAIRS:
        kept = np.random.default_rng(int(rows[0])).choice(len(at), _SAMPLED_PAIRS, replace=False)
    else:
        kept = np.arange(len(at))
    left, _ = difference(looks.thumbs[rows[at[kept]]], _seen(looks.thumbs[others[kept]], mirrored))
    merely = bits[kept][(left >= TOLERANCE) & (left < _ALIKE)]
    return pairs, np.bincount(merely, minlength=RADIUS + 1) * (len(at) / max(1, len(kept)))


def _is_same(thumbs: np.ndarray, one: np.ndarray, other: np.ndarray, tolerance: float, *, mirrored: bool) -> np.ndarray:
    """Which pairs of thumbnails are of copies: bool (pairs,)."""
    left, most = difference(thumbs[one], _seen(thumbs[other], mirrored))
    return (left <= tolerance) & (most <= LOCALLY * tolerance)


def _seen(thumbs: np.ndarray, mirrored: bool) -> np.ndarray:
    return thumbs[:, :, ::-1] if mirrored else thumbs


def _candidates(looks: Looks, limits: Limits, threads: int) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Pairs whose hashes and sketches allow that they are copies, block by block; whether one of them is mirrored."""
    drawn = sketches(looks.thumbs)

    def block(top: int, left: int, mirrored: bool) -> tuple[np.ndarray, np.ndarray, bool]:
        columns = (looks.mirrored if mirrored else looks.plain)[left : left + _COLUMNS]
        table = distance(looks.plain[top : top + _ROWS, None], columns[None])
        one, other = np.divmod(np.flatnonzero(table <= limits.radius), len(columns))
        one, other = one + top, other + left
        possible = np.flatnonzero(one < other)
        for begin in range(0, len(possible), _PAIRS):
            part = possible[begin : begin + _PAIRS]
            near = may_differ_less(drawn[one[part]], _seen(drawn[other[part]], mirrored), limits.tolerance)
            # What is not near is marked, and dropped below.
            possible[begin : begin + _PAIRS] = np.where(near, part, -1)
        possible = possible[possible >= 0]
        return one[possible], other[possible], mirrored

    count = len(looks.plain)
    corners = (
        (top, left, mirrored)
        for top in range(0, count, _ROWS)
        for left in range(top // _COLUMNS * _COLUMNS, count, _COLUMNS)
        for mirrored in (False, True)
    )
    waiting: deque[Future[tuple[np.ndarray, np.ndarray, bool]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="compare") as pool:
        for corner in corners:
            waiting.append(pool.submit(block, *corner))
            if len(waiting) > _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _flattened(parents: np.ndarray) -> np.ndarray:
    """The forest with every tree's root as the parent of all in it."""
    while not np.array_equal(above := parents[parents], parents):
        parents = above
    return parents


def _join(parents: np.ndarray, one: int, other: int) -> None:
    """Make one tree of those of two images; the smaller root stays."""
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _root(parents: np.ndarray, node: int) -> int:
    while parents[node] != node:
        node = int(parents[node])
    return node


def _groups(roots: np.ndarray) -> list[np.ndarray]:
    """Indices of the images below each root, where there are two or more."""
    order = np.argsort(roots, kind="stable")
    starts = np.flatnonzero(np.diff(roots[order])) + 1
    return [group for group in np.split(order, starts) if len(group) > 1]
