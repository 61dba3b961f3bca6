"""One part of a dataset, and how a dataset is divided: stratified, disjoint, and the same on every machine."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.idx import IdxImages
from zoo.images.source import Source

#: The parts that a dataset may have, in the order in which they are shown.
PARTS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """The images of one part; ``labels``, int64 (n,), are indices into the dataset's classes."""

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
    """Divide images into ``train`` and other parts, of every class the given fraction, at least one.

    The part follows from a hash of ``seed`` and the image's key, so neither listing order nor location matters.
    Identical images (``copies``) come into one part together, those of several classes into ``train``.
    """
    fractions = {part: fraction for part, fraction in fractions.items() if fraction > 0}
    if not fractions:
        return {"train": split}
    group_of = {int(index): number for number, group in enumerate(copies) for index in group}
    prefix = f"{seed}\0".encode()
    order = [hashlib.blake2b(prefix + key.encode(errors="surrogateescape"), digest_size=8).digest() for key in keys]
    # 0 is train.
    place = np.zeros(len(split), np.int64)
    for label, name in enumerate(classes):
        members: list[int] = sorted(np.flatnonzero(split.labels == label).tolist(), key=order.__getitem__)
        counts = {part: max(1, round(fraction * len(members))) for part, fraction in fractions.items()}
        # Rounded up from below one, the parts may ask for all of a small class.
        while sum(counts.values()) >= len(members) > len(counts):
            counts[max(counts, key=counts.__getitem__)] -= 1
        if len(members) <= len(counts):
            raise UsageError(_too_few(name, len(members), tuple(fractions), where))
        # Identical images are one unit, which stands where its first member does.
        units: dict[object, list[int]] = {}
        for member in members:
            units.setdefault(group_of.get(member, (member,)), []).append(member)
        # With too few different images, even identical ones are divided.
        queue = deque(units.values() if len(units) > len(counts) else [[member] for member in members])
        for number, count in enumerate(counts.values(), start=1):
            taken = 0
            # Every later part, and train, gets something too.
            while taken < count and len(queue) > len(counts) - number + 1:
                unit = queue.popleft()
                place[unit] = number
                taken += len(unit)
    _keep_together(place, split.labels, copies)
    return {name: split.take(np.flatnonzero(place == number)) for number, name in enumerate(["train", *fractions])}


def _keep_together(place: np.ndarray, labels: np.ndarray, copies: Sequence[np.ndarray]) -> None:
    """Move identical images of several classes that are in several parts to ``train``, part 0 of ``place``."""
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
        f"add images, or make no such part ({options})."
    )
