"""Class names, as data files: ``configs/labels/NAME.csv`` with the columns index, wordnet_id and name.

ImageNet's names are spelled as by Keras's ``decode_predictions``, underscores included.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from zoo.core import paths
from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Label:
    """One class: its index in the network's output, its name, and its WordNet id where it has one."""

    index: int
    name: str
    wordnet_id: str | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class: its name, its index in the network's output and its probability, 0-1."""

    label: str
    index: int
    score: float


def names(source: str | Sequence[str]) -> tuple[str, ...]:
    """Names in the order of the network's output.

    Args:
        source: a set that ships with zoo, such as ``"imagenet"`` or ``"cifar10"``, or the names themselves.

    Raises:
        UsageError: no set of that name.
    """
    return tuple(label.name for label in classes(source))


def classes(source: str | Sequence[str]) -> tuple[Label, ...]:
    """Classes in the order of the network's output; as :func:`names`, with the WordNet ids of sets that have them."""
    if isinstance(source, str):
        return load(source)
    return tuple(Label(index, name) for index, name in enumerate(source))


@cache
def load(name: str) -> tuple[Label, ...]:
    """The classes of a set that ships with zoo, by index.

    Raises:
        UsageError: no set of that name.
    """
    file = paths.shipped("configs", "labels") / f"{name}.csv"
    if not name.isidentifier() or not file.is_file():
        raise UsageError(f"There are no class names '{name}'. The sets are: {', '.join(available())}.")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return tuple(Label(int(row["index"]), row["name"], row["wordnet_id"] or None) for row in rows)


def display(name: str) -> str:
    """A class name as people read it: ImageNet's have spaces (``prairie chicken``), all others stay as they are.

    Data files and JSON keep the name itself.
    """
    return name.replace("_", " ") if name in _imagenet_names() else name


@cache
def _imagenet_names() -> frozenset[str]:
    return frozenset(names("imagenet"))


def available() -> list[str]:
    """Names of the sets that ship with zoo."""
    return sorted(file.stem for file in paths.shipped("configs", "labels").glob("*.csv"))


def find(query: str | int, name: str = "imagenet") -> Label:
    """The class of a set that ships with zoo; see :func:`among`."""
    return among(load(name), query, name)


def among(classes: Sequence[Label], query: str | int, name: str) -> Label:
    """The class that a query names.

    Args:
        classes: by index.
        query: an index, a WordNet id, or a name; with spaces or underscores, and in any case if that is unambiguous:
            ImageNet has a Cardigan (the dog) and a cardigan.
        name: what has these classes, for the message.

    Raises:
        UsageError: no such class, or more than one: ImageNet has two cranes and two maillots.
    """
    text = str(query).strip()
    if text.isdecimal():
        if int(text) < len(classes):
            return classes[int(text)]
        raise UsageError(f"The classes of {name} are numbered from 0 to {len(classes) - 1}. Received: {text}")
    wanted = text.replace(" ", "_")
    found = [label for label in classes if wanted in (label.name.replace(" ", "_"), label.wordnet_id)]
    if not found:
        found = [label for label in classes if label.name.replace(" ", "_").lower() == wanted.lower()]
    if len(found) > 1:
        indices = (f"{label.index} ({label.wordnet_id})" if label.wordnet_id else f"{label.index}" for label in found)
        both = " and ".join(indices)
        by = "index or WordNet id" if found[0].wordnet_id else "index"
        raise UsageError(f"{name} has {len(found)} classes '{text}': {both}; name one by its {by}.")
    if not found:
        hint = did_you_mean(wanted, [label.name for label in classes], count=3)
        raise UsageError(f"{name} has no class '{text}'.{hint}")
    return found[0]
