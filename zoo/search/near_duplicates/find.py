"""Copies of images among vectors: which are the same image, and which of them to keep. Nothing is deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.search import duplicate_files, pairs, star_clusters
from zoo.search.duplicate_files import Copy, Seen
from zoo.vectors import Vectors, open_vectors

#: The cosine that two images have to reach to be taken for the same one; docs/dupes.md has the figures behind it.
THRESHOLD = 0.95

#: Called with the pairs of images that are compared, and those that there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Group:
    """Copies of one image: the one to keep, why, and the others, the most alike first."""

    kept: Copy
    others: tuple[Copy, ...]
    reason: str

    @property
    def bytes(self) -> int:
        """What the others take on the disk."""
        return sum(other.bytes or 0 for other in self.others)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "keep": self.kept.path,
            "remove": [other.path for other in self.others],
            "reason": self.reason,
            "bytes": self.bytes,
            "pictures": [
                {
                    "path": copy.path,
                    "width": copy.width,
                    "height": copy.height,
                    "bytes": copy.bytes,
                    "similarity": copy.similarity,
                }
                for copy in (self.kept, *self.others)
            ],
        }


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The copies among ``n`` images. ``left_out`` are those that would be in a group, and why they are not."""

    n: int
    threshold: float
    groups: tuple[Group, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def removable(self) -> int:
        """How many images could go."""
        return sum(len(group.others) for group in self.groups)

    @property
    def bytes(self) -> int:
        """How many bytes that would free."""
        return sum(group.bytes for group in self.groups)


def find_duplicates(
    index: str | os.PathLike[str] | Vectors,
    threshold: float = THRESHOLD,
    *,
    layer: str | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find images of which there are several, by their vectors. Nothing is deleted.

    Two images are the same where the cosine of their vectors reaches the threshold. Every image of a group is the
    same as the one to keep, which is the one with the most pixels; of several the one with the most bytes, then the
    one with the shortest name. No pair is missed, and memory is below a gigabyte for a million images.

    A file that has several names is one image. A file that has changed since its vector was made is left out, and so
    is one that is not there, unless none is: then the names alone are judged.

    >>> for group in find_duplicates("f.h5").groups:
    ...     print(group.kept.path, [copy.path for copy in group.others])

    Args:
        index: vectors, or the file that they are in, as ``zoo features`` writes it.
        threshold: above 0, at most 1.
        layer: which of several layers of the file; the first without.
        progress: told how far it is.

    Raises:
        UsageError: there is no such file or layer, or a threshold that makes no sense.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"--threshold is a cosine above 0 and at most 1. Received: {threshold:g}")
    if not isinstance(index, Vectors):
        with open_vectors(index, layer=layer) as vectors:
            return find_duplicates(vectors, threshold, progress=progress)
    found = _look_at(index, pairs.similar_groups(index, threshold, progress=progress))
    # Of names alone, in another place or on another machine, it can still be said which are copies.
    names_only = not any(seen.there for group in found for seen in group.values())
    groups: list[Group] = []
    left_out: list[tuple[str, str]] = []
    for group in found:
        judged = {row: seen for row, seen in group.items() if seen.problem is None or names_only}
        left_out += [(group[row].copy.path, group[row].problem or "") for row in group if row not in judged]
        groups += _groups(index, judged, threshold)
    return Duplicates(index.count, threshold, tuple(groups), tuple(left_out))


def _look_at(vectors: Vectors, groups: list[np.ndarray]) -> list[dict[int, Seen]]:
    """The files of the rows of groups as they are now."""
    stamps = vectors.stamps(0, vectors.count) if groups else None
    seen: dict[int, Seen] = {}
    # In the order of the file, in which names are read in blocks.
    for row in sorted(row for group in groups for row in group.tolist()):
        stamp = None if stamps is None else (int(stamps[0][row]), int(stamps[1][row]))
        seen[row] = duplicate_files.look_at(vectors.paths[row], stamp)
    return [{row: seen[row] for row in group.tolist()} for group in groups]


def _groups(vectors: Vectors, seen: dict[int, Seen], threshold: float) -> Iterator[Group]:
    """The groups among images that are alike, or connected by such."""
    rows = sorted(_different(seen), key=lambda row: duplicate_files.preference(seen[row].copy))
    if len(rows) < 2:
        return
    for star in star_clusters.divide(vectors, np.array(rows), threshold):
        kept = seen[rows[star.centre]].copy
        order = np.argsort(-star.similarities, kind="stable")
        others = tuple(
            replace(seen[rows[star.others[place]]].copy, similarity=float(star.similarities[place])) for place in order
        )
        yield Group(kept, others, duplicate_files.why(kept, others))


def _different(seen: dict[int, Seen]) -> Iterable[int]:
    """Rows of different files: of one that has several names, the first that is no link, or the first."""
    chosen: dict[tuple[object, ...], int] = {}
    for row, one in seen.items():
        other = chosen.get(one.identity)
        if other is None or (os.path.islink(seen[other].copy.path) and not os.path.islink(one.copy.path)):
            chosen[one.identity] = row
    return chosen.values()
