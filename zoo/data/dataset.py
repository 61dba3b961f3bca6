"""A dataset: images with classes, in the parts train, val and test, found on a disk and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.duplicates import identical
from zoo.data.sources import manifest, mnist
from zoo.data.sources.tree import read_tree, read_validation
from zoo.data.split import PARTS, Split, divide

__all__ = ["Dataset", "Split", "read"]

#: The part of the images that validates where nothing else is said, and the one where a class is small.
VAL_SPLIT, VAL_SPLIT_SMALL = 0.1, 0.2
#: A class with fewer images is small.
SMALL_CLASS = 50


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with classes, in parts.

    ``splits`` has those of ``train``, ``val`` and ``test`` that there are. ``skipped`` has the files and folders that
    were found and not used, each with the reason.
    """

    path: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    skipped: tuple[tuple[str, str], ...] = ()
    #: The folder that recorded paths begin at.
    root: str = ""

    def counts(self) -> dict[str, dict[str, int]]:
        """Images by class and part: ``{"cat": {"train": 90, "val": 10}, …}``."""
        tables = {part: np.bincount(split.labels, minlength=len(self.classes)) for part, split in self.splits.items()}
        return {
            name: {part: int(table[label]) for part, table in tables.items()} for label, name in enumerate(self.classes)
        }

    def rows(self) -> Iterator[dict[str, str]]:
        """The division as the lines of ``split.csv``.

        Yields:
            ``path``, with slashes, and below the dataset's folder where it is inside; ``label``, the class's name; and
            ``split``.
        """
        prefix = os.path.join(self.root, "") if self.root else ""
        for part, split in self.splits.items():
            for source, label in zip(split.sources, split.labels, strict=True):
                path = source.path.removeprefix(prefix).replace(os.sep, "/")
                yield {"path": path, "label": self.classes[label], "split": part}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Record the division as a table that :func:`read` takes; atomic.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        manifest.write(path, self.rows())


def read(
    path: str | os.PathLike[str],
    *,
    val_split: float | None = None,
    test_split: float = 0.0,
    val_dir: str | os.PathLike[str] | None = None,
    seed: int = 0,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Find a dataset and bring it into parts. No image is opened.

    ``path`` is one of:

    * a folder with ``train/`` and perhaps ``val/`` (or ``valid/``, ``validation/``) and ``test/``, each with a folder
      for every class, in which images stand at any depth;
    * a folder with a folder for every class, which is divided;
    * a folder with MNIST's IDX files (:mod:`zoo.data.sources.idx`), with the classes' names in ``labels.txt`` or none;
    * a table that records a division (:mod:`zoo.data.sources.manifest`), which is taken as it is.

    Where there is no ``val/``, images to validate with are taken from those to train on, never from ``test/``.
    Classes are in the order of their names as text, as in ``keras.utils.image_dataset_from_directory``.

    Args:
        path: folder or table.
        val_split: the fraction of every class that validates; 0.1 without, and 0.2 where a class has fewer than 50
            images. 0 for none.
        test_split: the fraction of every class that is kept apart as ``test``.
        val_dir: a folder with a folder for every class, with images to validate with; they are not divided off then.
        seed: of the division.
        root: for a table, the folder that its paths begin at; without, the ``dataset`` of the ``config.yaml`` beside
            it, as a run's folder has it, else its own folder.

    Raises:
        UsageError: there is no such thing, it has fewer than two classes, a class has no or too few images, or the
            fractions make no sense.
    """
    text = os.fsdecode(path)
    _check_fractions(val_split, test_split)
    if os.path.isdir(text):
        dataset, keys = _read_folder(text)
        if val_dir is not None:
            dataset, val_split = _with_validation(dataset, os.fsdecode(val_dir), val_split), None
        dataset = _divided(dataset, keys, val_split, test_split, seed)
    elif text.lower().endswith(".csv") and os.path.exists(text):
        if val_split or test_split or val_dir is not None:
            raise UsageError(f"{text} records which image is in which part; it is not divided again.")
        base = os.fsdecode(root) if root is not None else manifest.find_root(text)
        classes, splits = manifest.read(text, base)
        dataset = Dataset(text, classes, MappingProxyType(splits), root=base)
    elif os.path.exists(text):
        raise UsageError(f"A dataset is a folder or a split.csv. Received: {text}")
    else:
        raise UsageError(f"There is no dataset {text}.")
    _check_classes(dataset)
    return dataset


def _read_folder(folder: str) -> tuple[Dataset, Sequence[str]]:
    """What a folder holds, and a key for each image to train on."""
    classes, splits = mnist.read(folder)
    if splits:
        keys = [str(number) for number in range(len(splits["train"]))]
        return Dataset(folder, classes, MappingProxyType(splits), root=folder), keys
    tree = read_tree(folder)
    return Dataset(folder, tree.classes, MappingProxyType(tree.splits), tuple(tree.skipped), root=folder), tree.keys


def _with_validation(dataset: Dataset, folder: str, val_split: float | None) -> Dataset:
    """The dataset with images to validate with from another folder."""
    if val_split:
        raise UsageError(
            "--val-dir has the images to validate with, so --val-split divides none off; give one of them."
        )
    if "val" in dataset.splits:
        raise UsageError(f"{dataset.path} has a part 'val' of its own; leave --val-dir away, or remove it.")
    tree = read_validation(folder, dataset.classes)
    splits = {**dataset.splits, "val": tree.splits["val"]}
    return replace(dataset, splits=MappingProxyType(splits), skipped=(*dataset.skipped, *tree.skipped))


def _divided(dataset: Dataset, keys: Sequence[str], val_split: float | None, test_split: float, seed: int) -> Dataset:
    """The dataset with the parts that it did not come with."""
    for part, fraction in (("val", val_split), ("test", test_split)):
        if fraction and part in dataset.splits:
            raise UsageError(f"{dataset.path} has a part '{part}' of its own; leave --{part}-split away, or remove it.")
    _check_classes(dataset)
    train = dataset.splits["train"]
    if val_split is None:
        smallest = int(np.bincount(train.labels, minlength=len(dataset.classes)).min())
        val_split = 0.0 if "val" in dataset.splits else VAL_SPLIT if smallest >= SMALL_CLASS else VAL_SPLIT_SMALL
    fractions = {"val": val_split, "test": test_split}
    same = identical.groups(train) if any(fractions.values()) else []
    parts = divide(train, keys, dataset.classes, fractions, seed=seed, where=dataset.path, copies=same)
    parts = {**dataset.splits, **parts}
    splits = {part: parts[part] for part in PARTS if part in parts}
    return Dataset(dataset.path, dataset.classes, MappingProxyType(splits), dataset.skipped, dataset.root)


def _check_fractions(val_split: float | None, test_split: float) -> None:
    for name, fraction in (("--val-split", val_split), ("--test-split", test_split)):
        if fraction is not None and not 0 <= fraction < 1:
            raise UsageError(f"{name} is a fraction from 0 to below 1. Received: {fraction:g}")
    if (val_split or 0) + test_split >= 1:
        raise UsageError(f"--val-split {val_split:g} and --test-split {test_split:g} leave nothing to train on.")


def _check_classes(dataset: Dataset) -> None:
    """There are two classes at least, and each can be learnt."""
    if len(dataset.classes) < 2:
        name = f", '{dataset.classes[0]}'" if dataset.classes else ""
        raise UsageError(f"{dataset.path} has only one class{name}; a classifier needs two to tell apart.")
    train = dataset.splits.get("train")
    if train is None:
        raise UsageError(f"{dataset.path} has no images to train on.")
    counts = np.bincount(train.labels, minlength=len(dataset.classes))
    if not counts.all():
        name = dataset.classes[int(np.flatnonzero(counts == 0)[0])]
        raise UsageError(f"The class '{name}' of {dataset.path} has no images to train on: add some, or remove it.")
    for part, split in dataset.splits.items():
        if not len(split):
            raise UsageError(f"The part '{part}' of {dataset.path} has no images: add some, or remove it.")
