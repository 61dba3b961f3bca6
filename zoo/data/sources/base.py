"""What a dataset source is: it finds images with classes, in parts, at a path."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zoo.data.split import Split
from zoo.images.source import Source


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that training refuses: ``unlabelled``, or a kind of :data:`zoo.data.checks.findings.KINDS`."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Parsed:
    """Everything that a source holds, before training, evaluation or a check says what it needs.

    Attributes:
        classes: sorted by name as text, or in the order of ``labels.txt``.
        splits: the images by part. Those of a dataset without parts are ``train``.
        keys: gives a name for each image of ``train`` that does not depend on where the dataset is stored.
        skipped: files and folders that are not used, each with the reason.
        problems: what training refuses, in the order in which it was found.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    keys: Callable[[], Sequence[str]]
    skipped: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()


class DatasetSource(Protocol):
    """A dataset on disk, opened but not read.

    ``root`` is the folder that recorded paths are relative to, and ``parts`` are those of ``train``, ``val`` and
    ``test`` that there are; none if the dataset is not divided. ``recorded``: the parts are a division that was
    recorded, and are not divided further.
    """

    root: str
    parts: tuple[str, ...]
    recorded: bool

    def read(self, parts: Sequence[str]) -> Parsed:
        """Find the images of some parts, or all if the dataset is not divided; UsageError if that fails."""


def keys_below(folder: str, sources: Sequence[Source]) -> list[str]:
    """Paths below a folder, with slashes."""
    start = len(folder.rstrip("/" + os.sep)) + 1
    return [source.path[start:].replace(os.sep, "/") for source in sources]


def join_classes(own: Sequence[str], classes: Sequence[str], labels: Sequence[int] | np.ndarray) -> np.ndarray:
    """Labels that are indices into ``own`` as indices into ``classes``: int64 (n,)."""
    numbers = {name: number for number, name in enumerate(classes)}
    return np.array([numbers[name] for name in own], np.int64)[np.asarray(labels, np.int64)]
