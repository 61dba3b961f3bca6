"""One part of a dataset, and how a part is divided: stratified, disjoint, and the same on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources.idx import IdxImages
from zoo.images.source import Source

#: The parts that a dataset may have, in the order in which they are shown.
PARTS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their classes: one of train, val and test.

    ``labels`` is int64 (n,), an index into the dataset's classes for each of ``sources``.
    """

    sources: Sequence[Source]
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, indices: np.ndarray) -> Split:
        """The images at ``indices``, integers (m,), in that order."""
        if isinstance(self.sources, IdxImages):
            return Split(self.sources.take(indices), self.labels[indices])
        return Split([self.sources[index] for index in indices], self.labels[indices])


def divide(
    split: Split,
    keys: Sequence[str],
    classes: Sequence[str],
    fractions: Mapping[str, float],
    *,
    seed: int,
    where: str,
    copies: Sequence[np.ndarray] = (),
) -> dict[str, Split]:
    """Divide images into ``train`` and other parts, class by class.

    Which part an image goes to follows from ``seed`` and its key alone, in order of a hash of the two: neither the
    order in which the system lists files nor where the folder stands matters, and a file that is added later moves few
    of the others. Each part gets its fraction of every class, rounded, and at least one image of it; ``train`` keeps
    at least one. Copies of an image come into one part together, so that nothing is judged that was learnt from; those
    of several classes come to ``train``. Only a class with too few different images is divided regardless.

    Args:
        split: what is divided.
        keys: one name for each image, such as its path below the folder.
        classes: names, for the sentences.
        fractions: part to fraction, each within 0-1 and together below 1; parts of fraction 0 do not come to be.
        seed: another seed gives another division.
        where: what the sentences call the dataset.
        copies: indices of images that are the same, for each group of such.

    Returns:
        part to images, each in the order in which they stand in ``split``.

    Raises:
        UsageError: a class has too few images to give one to each part.
    """
    fractions = {part: fraction for part, fraction in fractions.items() if fraction > 0}
    if not fractions:
        return {"train": split}
    group_of = {int(index): number for number, group in enumerate(copies) for index in group}
    prefix = f"{seed}\0".encode()
    order = [hashlib.blake2b(prefix + key.encode(errors="surrogateescape"), digest_size=8).digest() for key in keys]
    chosen: dict[str, list[int]] = {part: [] for part in fractions}
    for label, name in enumerate(classes):
        members: list[int] = sorted(np.flatnonzero(split.labels == label).tolist(), key=order.__getitem__)
        counts = {part: max(1, round(fraction * len(members))) for part, fraction in fractions.items()}
        # Rounded up from below one, the parts may ask for all of a small class.
        while sum(counts.values()) >= len(members) > len(counts):
            counts[max(counts, key=counts.__getitem__)] -= 1
        if len(members) <= len(counts):
            raise UsageError(_too_few(name, len(members), tuple(fractions), where))
        units = _units(members, group_of)
        if len(units) <= len(counts):
            # Too few different images to go round.
            units = [[member] for member in members]
        start = 0
        for number, (part, count) in enumerate(counts.items(), start=1):
            # Every later part, and train, gets something too.
            last = len(units) - (len(counts) - number) - 1
            wanted = len(chosen[part]) + count
            while start < last and len(chosen[part]) < wanted:
                chosen[part] += units[start]
                start += 1
    names = ["train", *chosen]
    place = np.zeros(len(split), np.int64)
    for number, found in enumerate(chosen.values(), start=1):
        place[found] = number
    _keep_together(place, split.labels, copies)
    return {name: split.take(np.flatnonzero(place == number)) for number, name in enumerate(names)}


def _units(members: Sequence[int], group_of: Mapping[int, int]) -> list[list[int]]:
    """Members of a class that go to a part together, in the order of the first of each."""
    units: dict[tuple[str, int], list[int]] = {}
    for member in members:
        key = ("group", group_of[member]) if member in group_of else ("single", member)
        units.setdefault(key, []).append(member)
    return list(units.values())


def _keep_together(place: np.ndarray, labels: np.ndarray, copies: Sequence[np.ndarray]) -> None:
    """Move copies that are in several parts, as they are in several classes, to ``train``, part 0 of ``place``."""
    for group in copies:
        if (place[group] == place[group[0]]).all():
            continue
        for index in group[place[group] > 0]:
            others = (place == place[index]) & (labels == labels[index])
            if others.sum() > 1:
                place[index] = 0


def _too_few(name: str, count: int, parts: tuple[str, ...], where: str) -> str:
    images = "one image" if count == 1 else f"{count} images"
    named = " and ".join(f"the {'validation' if part == 'val' else part} part" for part in parts)
    options = " ".join(f"--{part}-split 0" for part in parts)
    return (
        f"The class '{name}' of {where} has {images}, too few to give one to {named} and keep one to train on; "
        f"add images, or do without ({options})."
    )
