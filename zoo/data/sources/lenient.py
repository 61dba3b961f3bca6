"""A dataset as it lies on the disk: in the parts that there are, and with what training would refuse."""

from __future__ import annotations

import os
from types import MappingProxyType

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources import dataset, manifest, mnist
from zoo.data.sources.dataset import Dataset
from zoo.data.sources.tree import Tree, find_parts, read_classes
from zoo.data.split import Split
from zoo.images import folders
from zoo.images.sources import Source, reason


def read(path: str | os.PathLike[str]) -> Dataset:
    """Find what :func:`zoo.data.sources.dataset.read` finds, divide nothing, and refuse as little as possible.

    Classes may be one only, empty, or in some parts only; there may be nothing to train on; and images that stand in
    no class folder at all are one class, called as their folder.

    Raises:
        UsageError: there is no such thing, no image in it, two parts claim to be one, or a table or an IDX file is
            damaged.
    """
    text = os.fsdecode(path)
    if os.path.isdir(text):
        classes, splits = mnist.read(text, training=False)
        if splits:
            return Dataset(text, classes, MappingProxyType(splits), root=text)
        return _read_folder(text)
    if text.lower().endswith(".csv") and os.path.exists(text):
        root = manifest.find_root(text)
        classes, splits = manifest.read(text, root)
        return Dataset(text, classes, MappingProxyType(splits), root=root)
    # Neither a folder nor a table, which has its sentence there.
    return dataset.read(text)


def _read_folder(folder: str) -> Dataset:
    places = find_parts(folder) or {"train": folder}
    trees = {part: _read_part(place) for part, place in places.items()}
    classes = tuple(sorted({name for tree in trees.values() for name in tree.classes}))
    numbers = {name: number for number, name in enumerate(classes)}
    splits = {}
    for part, tree in trees.items():
        own = np.array([numbers[name] for name in tree.classes], np.int64)
        found = tree.splits["test"]
        splits[part] = Split(found.sources, own[found.labels])
    if not any(len(split) for split in splits.values()):
        raise UsageError(f"{folder} holds no images, in whatever folders.")
    skipped = [entry for tree in trees.values() for entry in tree.skipped]
    if folder not in places.values():
        others = [os.path.join(folder, name) for name in _subfolders(folder)]
        skipped += [(path, "a folder beside the parts, not used") for path in others if path not in places.values()]
    return Dataset(folder, classes, MappingProxyType(splits), tuple(skipped), folder)


def _read_part(place: str) -> Tree:
    """The classes in a folder, or the folder as a class; none where it is empty."""
    if _subfolders(place):
        return read_classes(place)
    sources = [Source(path) for path, _ in folders.walk(place, recursive=False)]
    name = os.path.basename(os.path.abspath(place))
    return Tree((name,) if sources else (), {"test": Split(sources, np.zeros(len(sources), np.int64))})


def _subfolders(folder: str) -> list[str]:
    """Names of the folders in a folder, in order; hidden ones do not count."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be listed: {reason(error)}.") from error
    return sorted(name for name in names if os.path.isdir(os.path.join(folder, name)))
