"""A dataset from any of :mod:`zoo.data.sources`, read for training, for evaluation, or to be checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.core import atomic
from zoo.core.errors import UsageError
from zoo.data.duplicates import identical
from zoo.data.sources import table
from zoo.data.sources.base import join_classes
from zoo.data.sources.class_folders import find_unknown, list_classes
from zoo.data.sources.registry import open_source
from zoo.data.split import PARTS, Split, divide
from zoo.images.source import Source

#: Default fraction of the images for validation, and the one if a class is small.
VAL_SPLIT, VAL_SPLIT_SMALL = 0.1, 0.2
#: A class with fewer images is small.
SMALL_CLASS = 50


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with classes, in parts (``train``, ``val``, ``test``); recorded paths are relative to ``root``."""

    path: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    skipped: tuple[tuple[str, str], ...] = ()
    root: str = ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Images by class and part: ``{"cat": {"train": 90, "val": 10}, …}``."""
        tables = {part: np.bincount(split.labels, minlength=len(self.classes)) for part, split in self.splits.items()}
        rows = enumerate(self.classes)
        return {name: {part: int(counts[label]) for part, counts in tables.items()} for label, name in rows}

    def rows(self) -> Iterator[dict[str, str]]:
        """The division as lines of ``split.csv``; paths have slashes and are relative to ``root`` if below it."""
        for part, split in self.splits.items():
            for source, label in zip(split.sources, split.labels, strict=True):
                path = self.relative(source.path).replace(os.sep, "/")
                yield {"path": path, "label": self.classes[label], "split": part}

    def relative(self, path: str) -> str:
        """A path relative to the dataset's folder if it is below."""
        return path.removeprefix(os.path.join(self.root, "") if self.root else "")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Record the division as a table that can be read as a dataset; atomic."""
        atomic.write(path, table.to_csv(self.rows()))


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Images of one part (``None``: of all) to evaluate on; ``labels``, int64 (n,), are indices into ``classes``."""

    path: str
    part: str | None
    parts: tuple[str, ...]
    classes: tuple[str, ...]
    sources: Sequence[Source]
    labels: np.ndarray
    skipped: tuple[tuple[str, str], ...] = ()
    root: str = ""

    def __len__(self) -> int:
        return len(self.sources)


def read_for_training(
    path: str | os.PathLike[str],
    *,
    val_split: float | None = None,
    test_split: float = 0.0,
    val_dir: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Dataset:
    """Find a dataset and divide it into parts; see docs/datasets.md. No image is opened.

    Without ``val``, images for validation are taken from ``train``: of every class the fraction ``val_split``, or 0.1,
    or 0.2 if a class has fewer than 50 images. Classes are sorted as in ``keras.utils.image_dataset_from_directory``.
    """
    text = os.fsdecode(path)
    for name, fraction in (("--val-split", val_split), ("--test-split", test_split)):
        if fraction is not None and not 0 <= fraction < 1:
            raise UsageError(f"{name} is a fraction from 0 to below 1. Received: {fraction:g}")
    if (val_split or 0) + test_split >= 1:
        raise UsageError(f"--val-split {val_split:g} and --test-split {test_split:g} leave nothing to train on.")
    source = open_source(text)
    if source.recorded and (val_split or test_split or val_dir is not None):
        raise UsageError(f"{text} records which image is in which part; it is not divided again.")
    if source.parts and "train" not in source.parts:
        raise UsageError(f"{text} has no images to train on; it has only {' and '.join(source.parts)}.")
    parsed = source.read(source.parts)
    for problem in parsed.problems:
        raise UsageError(problem.text)
    dataset = Dataset(text, parsed.classes, parsed.splits, parsed.skipped, source.root)
    if val_dir is not None:
        dataset, val_split = _with_validation(dataset, os.fsdecode(val_dir), val_split), None
    if not source.recorded:
        dataset = _divided(dataset, parsed.keys(), val_split, test_split, seed)
    _check_classes(dataset)
    return dataset


def read_for_evaluation(path: str | os.PathLike[str], part: str | None = None) -> EvaluationSet:
    """Find images to evaluate on, of ``part`` or else the first of ``test``, ``val`` and ``train``."""
    text = os.fsdecode(path)
    if part is not None and part not in (*PARTS, "all"):
        raise UsageError(f"A part is {', '.join(PARTS)} or all. Received: {part}")
    source = open_source(text)
    if part is None:
        part = next((name for name in reversed(PARTS) if name in source.parts), "all")
    if part not in (*source.parts, "all"):
        there = f"it has {' and '.join(source.parts)}" if source.parts else "it has no parts"
        raise UsageError(f"{text} has no part '{part}'; {there}.")
    parsed = source.read(source.parts if part == "all" else (part,))
    for problem in parsed.problems:
        if problem.kind == "unlabelled":
            raise UsageError(problem.text)
    splits = list(parsed.splits.values())
    sources = splits[0].sources if len(splits) == 1 else [source for split in splits for source in split.sources]
    if not len(sources):
        place = text if part == "all" else f"The part '{part}' of {text}"
        raise UsageError(f"{place} has no images in folders of classes.")
    labels = np.concatenate([split.labels for split in splits])
    chosen = None if part == "all" else part
    return EvaluationSet(text, chosen, source.parts, parsed.classes, sources, labels, parsed.skipped, source.root)


def read_for_check(path: str | os.PathLike[str]) -> Dataset:
    """Find a dataset as it is, undivided, with everything that training would refuse."""
    text = os.fsdecode(path)
    source = open_source(text)
    parsed = source.read(source.parts)
    if not any(map(len, parsed.splits.values())):
        raise UsageError(f"{text} has no images, in whatever folders.")
    return Dataset(text, parsed.classes, parsed.splits, parsed.skipped, source.root)


def _with_validation(dataset: Dataset, folder: str, val_split: float | None) -> Dataset:
    """The dataset with images for validation from another folder."""
    if val_split:
        raise UsageError("--val-dir has the images for validation, so --val-split divides none off; give one of them.")
    if "val" in dataset.splits:
        raise UsageError(f"{dataset.path} has a part 'val' of its own; leave out --val-dir, or remove the part.")
    found = list_classes(folder)
    unlabelled = [problem for problem in found.problems if problem.kind == "unlabelled"]
    for problem in unlabelled + find_unknown(folder, found.classes, dataset.classes):
        raise UsageError(problem.text)
    labels = join_classes(found.classes, dataset.classes, found.labels)
    splits = {**dataset.splits, "val": Split(found.sources, labels)}
    return replace(dataset, splits=splits, skipped=(*dataset.skipped, *found.skipped))


def _divided(dataset: Dataset, keys: Sequence[str], val_split: float | None, test_split: float, seed: int) -> Dataset:
    """The dataset with the parts that it did not come with."""
    for part, fraction in (("val", val_split), ("test", test_split)):
        if fraction and part in dataset.splits:
            raise UsageError(f"{dataset.path} has a part '{part}' of its own; leave out --{part}-split, or remove it.")
    _check_classes(dataset)
    train = dataset.splits["train"]
    if val_split is None:
        smallest = int(np.bincount(train.labels, minlength=len(dataset.classes)).min())
        val_split = 0.0 if "val" in dataset.splits else VAL_SPLIT if smallest >= SMALL_CLASS else VAL_SPLIT_SMALL
    fractions = {"val": val_split, "test": test_split}
    same = identical.groups(train) if any(fractions.values()) else []
    divided = divide(train, keys, dataset.classes, fractions, seed=seed, where=dataset.path, copies=same)
    parts = {**dataset.splits, **divided}
    return replace(dataset, splits={part: parts[part] for part in PARTS if part in parts})


def _check_classes(dataset: Dataset) -> None:
    """There are two classes at least, and each can be learned."""
    if len(dataset.classes) < 2:
        name = f", '{dataset.classes[0]}'" if dataset.classes else ""
        raise UsageError(f"{dataset.path} has only one class{name}; a classifier needs two to tell apart.")
    counts = np.bincount(dataset.splits["train"].labels, minlength=len(dataset.classes))
    if not counts.all():
        name = dataset.classes[int(np.flatnonzero(counts == 0)[0])]
        raise UsageError(f"The class '{name}' of {dataset.path} has no images to train on: add some, or remove it.")
    for part, split in dataset.splits.items():
        if not len(split):
            raise UsageError(f"The part '{part}' of {dataset.path} has no images: add some, or remove it.")
