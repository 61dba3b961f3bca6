"""Checks of class names and image counts, before any image is opened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from zoo.core.groups import equal_groups
from zoo.data.checks.findings import Finding, counted, listed
from zoo.data.dataset import Dataset

#: A class with fewer training images has few.
FEW = 10
#: Ratio of the largest to the smallest class from which it is a note, and a warning.
UNEQUAL, IMBALANCED = 3.0, 10.0


def find(dataset: Dataset) -> Iterator[Finding]:
    """Classes that are empty, small, unequal, missing in a part, or have almost the same name."""
    counts = dataset.counts()
    if len(dataset.classes) < 2:
        yield Finding("one-class", "There is only one class; a classifier needs two to tell apart.")
    yield from _similar_names(dataset.classes)
    if "train" not in dataset.splits:
        parts = tuple(dataset.splits)
        yield Finding("no-train", f"There is {listed(parts)}, but nothing to train on.", splits=parts)
    train = {name: parts.get("train", 0) for name, parts in counts.items()}
    for name, table in counts.items():
        there = tuple(part for part, count in table.items() if count)
        if not there:
            yield Finding("empty-class", f"The class '{name}' has no images.", classes=(name,))
        elif "train" not in dataset.splits:
            continue
        elif not train[name]:
            text = f"The class '{name}' is in {listed(there)}, but not in train."
            yield Finding("unknown-class", text, splits=there, classes=(name,))
        elif train[name] < FEW:
            kind = "too-few" if train[name] == 1 else "few"
            text = f"The class '{name}' has {counted(train[name], 'image')} to train on."
            yield Finding(kind, text, splits=("train",), classes=(name,))
    for part in dataset.splits:
        missing = tuple(name for name, parts in counts.items() if not parts[part] and any(parts.values()))
        if part != "train" and missing:
            text = f"There are no images of {listed([repr(name) for name in missing], 5)} in {part}."
            yield Finding("missing-class", text, len(missing), splits=(part,), classes=missing)
    yield from _balance(train)


def _balance(train: dict[str, int]) -> Iterator[Finding]:
    """How much larger the largest class is than the smallest."""
    train = {name: count for name, count in train.items() if count}
    if len(train) < 2:
        return
    largest, smallest = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    ratio = train[largest] / train[smallest]
    if ratio >= UNEQUAL:
        text = (
            f"'{largest}' has {ratio:.1f} times as many training images as '{smallest}', "
            f"{train[largest]:,} and {train[smallest]:,}."
        )
        kind = "imbalance" if ratio >= IMBALANCED else "unequal"
        yield Finding(kind, text, splits=("train",), classes=(largest, smallest))


def _similar_names(classes: Sequence[str]) -> Iterator[Finding]:
    """Classes whose names differ only in case, spaces, ``-``, ``_`` or the encoding of accents."""
    keys = [re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip() for name in classes]
    for group in equal_groups(keys):
        names = tuple(classes[index] for index in group)
        text = f"The class names {listed([repr(name) for name in names])} are almost equal."
        yield Finding("similar-names", text, len(names), classes=names)
