"""A dataset from any source, read for training, for evaluation, or to be checked.

All three read the same things (:mod:`zoo.data.sources.registry`): class folders, parts of such, tables and IDX files.
They differ in what they ask: training needs two classes and divides; evaluation takes images as they are, even one;
a check takes everything, to report what training would refuse.
"""

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
#: Default part to evaluate on: the first that there is.
PREFERRED = ("test", "val", "train")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with classes, in parts.

    ``splits`` has those of ``train``, ``val`` and ``test`` that there are. ``skipped`` has files and folders that are
    not used, each with the reason. ``root`` is the folder that recorded paths are relative to.
    """

    path: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    skipped: tuple[tuple[str, str], ...] = ()
    root: str = ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Images by class and part: ``{"cat": {"train": 90, "val": 10}, …}``."""
        tables = {part: np.bincount(split.labels, minlength=len(self.classes)) for part, split in self.splits.items()}
        return {
            name: {part: int(counts[label]) for part, counts in tables.items()}
            for label, name in enumerate(self.classes)
        }

    def rows(self) -> Iterator[dict[str, str]]:
        """The division as lines of ``split.csv``.

        Yields:
            ``path``, with slashes, relative to ``root`` if it is below; ``label``, the class's name; and ``split``.
        """
        for part, split in self.splits.items():
            for source, label in zip(split.sources, split.labels, strict=True):
                path = self.relative(source.path).replace(os.sep, "/")
                yield {"path": path, "label": self.classes[label], "split": part}

    def relative(self, path: str) -> str:
        """A path relative to the dataset's folder if it is below."""
        return path.removeprefix(os.path.join(self.root, "") if self.root else "")

    def write(self, path: str | os.PathLike[str]) -> None:
        """Record the division as a table that can be read as a dataset; atomic.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        atomic.write(path, table.to_csv(self.rows()))


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Images and their classes, to evaluate on.

    ``part`` is ``train``, ``val`` or ``test``, ``None`` for all images; ``parts`` are those to choose from. ``labels``,
    int64 (n,), are indices into ``classes``, of which some may have no images. ``root`` and ``skipped`` are as in
    :class:`Dataset`.
    """

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
    """Find a dataset and divide it into parts. No image is opened.

    ``path`` is one of:

    * a folder with a folder for each class, in which images may be nested at any depth;
    * a folder with ``train/`` and perhaps ``val/`` (or ``valid/``, ``validation/``) and ``test/`` of such folders;
    * a table with a column ``path`` or ``file``, relative to the table, and one of ``label``, ``wordnet_id``,
      ``index`` and ``name``; or a folder of images with such a table called ``labels.csv``;
    * a table with a column ``split`` too, such as a run's ``split.csv``, which is taken as it is;
    * a folder with MNIST's IDX files (:mod:`zoo.data.idx`), whose classes are named in ``labels.txt``.

    If there is no ``val`` part, images for validation are taken from ``train``, never from ``test``. Classes are sorted
    by name as text, as in ``keras.utils.image_dataset_from_directory``.

    Args:
        path: folder or table.
        val_split: the fraction of every class for validation, 0 for none. Default: 0.1, or 0.2 if a class has fewer
            than 50 images.
        test_split: the fraction of every class for testing.
        val_dir: a folder with a folder for each class, with the images for validation.
        seed: of the division.

    Raises:
        UsageError: there is no such dataset, it has fewer than two classes, a class has no or too few images, or the
            fractions make no sense.
    """
    text = os.fsdecode(path)
    _check_fractions(val_split, test_split)
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
    """Find images with classes to evaluate on. Nothing is divided, and no image is opened.

    Args:
        path: what :func:`read_for_training` takes.
        part: ``"train"``, ``"val"``, ``"test"`` or ``"all"``. Default: the first that there is of ``test``, ``val`` and
            ``train``.

    Raises:
        UsageError: there is no such dataset or part, or it has no images.
    """
    text = os.fsdecode(path)
    if part is not None and part not in (*PARTS, "all"):
        raise UsageError(f"A part is {', '.join(PARTS)} or all. Received: {part}")
    source = open_source(text)
    if part is None:
        part = next((name for name in PREFERRED if name in source.parts), "all")
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
    """Find a dataset as it is, with everything that training would refuse. Nothing is divided.

    Classes may be one only, empty, or in some parts only; there may be nothing to train on; and images in no class
    folder are one class, named after their folder.

    Args:
        path: what :func:`read_for_training` takes.

    Raises:
        UsageError: there is no such dataset, it has no images, or a table or an IDX file is damaged.
    """
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
    parts = {
        **dataset.splits,
        **divide(train, keys, dataset.classes, fractions, seed=seed, where=dataset.path, copies=same),
    }
    return replace(dataset, splits={part: parts[part] for part in PARTS if part in parts})


def _check_fractions(val_split: float | None, test_split: float) -> None:
    for name, fraction in (("--val-split", val_split), ("--test-split", test_split)):
        if fraction is not None and not 0 <= fraction < 1:
            raise UsageError(f"{name} is a fraction from 0 to below 1. Received: {fraction:g}")
    if (val_split or 0) + test_split >= 1:
        raise UsageError(f"--val-split {val_split:g} and --test-split {test_split:g} leave nothing to train on.")


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
