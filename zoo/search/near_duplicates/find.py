"""Groups of near-duplicate images among vectors, and which image of each to keep. Nothing is deleted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.core.progress import Progress
from zoo.search.near_duplicates.image_files import FileState, ImageFile, inspect_file, preference, reason_to_keep
from zoo.search.near_duplicates.leader_clusters import leader_clusters
from zoo.search.near_duplicates.similar_pairs import similar_groups
from zoo.vectors import Vectors, open_vectors

#: Default cosine of near-duplicates; docs/dupes.md has the measurements behind it.
THRESHOLD = 0.95


@dataclass(frozen=True, slots=True)
class Group:
    """Near-duplicates: the image to keep, the reason, and the others, the most similar first."""

    kept: ImageFile
    others: tuple[ImageFile, ...]
    reason: str

    @property
    def bytes(self) -> int:
        """Size of the others on disk."""
        return sum(other.bytes or 0 for other in self.others)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "keep": self.kept.path,
            "remove": [other.path for other in self.others],
            "reason": self.reason,
            "bytes": self.bytes,
            "pictures": [asdict(image) for image in (self.kept, *self.others)],
        }


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The groups among ``n`` images; ``left_out`` are images that were not compared, each with the reason."""

    n: int
    threshold: float
    groups: tuple[Group, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def removable(self) -> int:
        """Number of images that could be removed."""
        return sum(len(group.others) for group in self.groups)

    @property
    def bytes(self) -> int:
        """Bytes that this would free."""
        return sum(group.bytes for group in self.groups)


def find_duplicates(
    index: str | os.PathLike[str] | Vectors,
    threshold: float = THRESHOLD,
    *,
    layer: str | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find groups of near-duplicate images by the cosine of their vectors. Nothing is deleted.

    Each image of a group reaches the threshold with the one to keep: the one with the most pixels, then the most
    bytes, then the shortest name. No pair is missed; memory stays below a gigabyte for a million images. A file with
    several names is one image. Files that changed since their vectors were computed are left out, and so are missing
    files, unless all are missing: then vectors and names alone decide.

    >>> for group in find_duplicates("f.h5").groups:
    ...     print(group.kept.path, [image.path for image in group.others])

    Args:
        index: vectors, or their file, as ``zoo features`` writes it.
        threshold: above 0, at most 1.
        layer: of several layers in the file; default: the first.
        progress: called with the pairs compared and their total.

    Raises:
        UsageError: no such file or layer, or a threshold out of range.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"--threshold is a cosine above 0 and at most 1. Received: {threshold:g}")
    if not isinstance(index, Vectors):
        with open_vectors(index, layer=layer) as vectors:
            return find_duplicates(vectors, threshold, progress=progress)
    states = _inspect(index, similar_groups(index, threshold, progress=progress))
    # On another machine no file exists; near-duplicates can be told all the same.
    names_only = not any(state.exists for group in states for state in group.values())
    groups: list[Group] = []
    left_out: list[tuple[str, str]] = []
    for group in states:
        compared = {row: state for row, state in group.items() if state.problem is None or names_only}
        left_out += [(group[row].image.path, group[row].problem or "") for row in group if row not in compared]
        groups += _groups(index, compared, threshold)
    return Duplicates(index.count, threshold, tuple(groups), tuple(left_out))


def _inspect(vectors: Vectors, groups: list[np.ndarray]) -> list[dict[int, FileState]]:
    """The files of the rows of each group."""
    stamps = vectors.stamps(0, vectors.count) if groups else None
    states: dict[int, FileState] = {}
    # In file order, because names are read in blocks.
    for row in sorted(row for group in groups for row in group.tolist()):
        stamp = None if stamps is None else (int(stamps[0][row]), int(stamps[1][row]))
        states[row] = inspect_file(vectors.paths[row], stamp)
    return [{row: states[row] for row in group.tolist()} for group in groups]


def _groups(vectors: Vectors, states: dict[int, FileState], threshold: float) -> Iterator[Group]:
    """The groups of a connected component."""
    # Of a file with several names: the first name that is no link, or the first.
    unique: dict[tuple[object, ...], int] = {}
    for row, state in states.items():
        other = unique.get(state.identity)
        if other is None or (os.path.islink(states[other].image.path) and not os.path.islink(state.image.path)):
            unique[state.identity] = row
    if len(unique) < 2:
        return
    rows = sorted(unique.values(), key=lambda row: preference(states[row].image))
    for cluster in leader_clusters(vectors, np.array(rows), threshold):
        kept = states[rows[cluster.leader]].image
        others = tuple(
            replace(states[rows[cluster.members[at]]].image, similarity=float(cluster.similarities[at]))
            for at in np.argsort(-cluster.similarities, kind="stable")
        )
        yield Group(kept, others, reason_to_keep(kept, others))
