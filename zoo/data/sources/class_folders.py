"""Datasets as folders: a folder for each class, and perhaps one for each part above them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.split import Split
from zoo.images.folders import SUFFIXES
from zoo.images.sources import Source, reason

#: What the folders of the parts may be called.
NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


@dataclass
class Tree:
    """What was found below a folder, before it is checked and divided."""

    classes: tuple[str, ...]
    splits: dict[str, Split] = field(default_factory=dict)
    #: A name for each image of ``train``: its path below the folder of the classes, with slashes.
    keys: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def read_tree(folder: str) -> Tree:
    """Find the parts, classes and images below a folder.

    Raises:
        UsageError: there are no classes, a class has no images to train on, or stands beside ``train/`` only.
    """
    subfolders = _subfolders(folder)
    parts = find_parts(folder) or {"train": folder}
    if "train" not in parts:
        raise UsageError(f"{folder} holds {' and '.join(subfolders)}, and no folder train with images to learn.")
    classes = _classes(parts["train"])
    tree = Tree(classes)
    for part, place in parts.items():
        _read_part(tree, part, place)
    if parts["train"] != folder:
        others = [name for name in subfolders if os.path.join(folder, name) not in parts.values()]
        tree.skipped += [(os.path.join(folder, name), "a folder beside train, not used") for name in others]
    return tree


def find_parts(folder: str) -> dict[str, str]:
    """The folders of the parts, by part; none where the folders are classes.

    A folder ``val`` or ``test`` is a class where there are others than these, and no ``train``.

    Raises:
        UsageError: the folder cannot be listed, or has two folders for validation.
    """
    subfolders = _subfolders(folder)
    found = {part: [name for name in names if name in subfolders] for part, names in NAMES.items()}
    if not found["train"] and not all(name in {*NAMES["val"], *NAMES["test"]} for name in subfolders):
        return {}
    if len(found["val"]) > 1:
        raise UsageError(f"{folder} holds {' and '.join(found['val'])}; which of them is for validation?")
    return {part: os.path.join(folder, names[0]) for part, names in found.items() if names}


def read_classes(place: str) -> Tree:
    """What a folder of class folders holds, as the part ``test``, of which nothing is asked that training needs.

    Raises:
        UsageError: it holds no folders, or cannot be listed.
    """
    tree = Tree(_classes(place))
    _read_part(tree, "test", place)
    return tree


def read_validation(place: str, classes: tuple[str, ...]) -> Tree:
    """What a folder of class folders holds, as the part ``val`` of images with these classes.

    Raises:
        UsageError: it has another class, or cannot be listed.
    """
    tree = Tree(classes)
    _read_part(tree, "val", place)
    return tree


def _classes(place: str) -> tuple[str, ...]:
    """Names of the class folders, sorted as text, which is the order that Keras gives them too."""
    classes = tuple(_subfolders(place))
    if not classes:
        images = any(_is_image(entry.name) for entry in os.scandir(place))
        seen = "images, but no folder for each class" if images else "no folders with images"
        raise UsageError(f"{place} holds {seen}; put the images of each class in a folder of its name.")
    return classes


def _read_part(tree: Tree, part: str, place: str) -> None:
    """Add the images of one part to the tree."""
    unknown = sorted(set(_subfolders(place)) - set(tree.classes))
    if unknown and part != "train":
        names = ", ".join(f"'{name}'" for name in unknown[:3]) + ("…" if len(unknown) > 3 else "")
        raise UsageError(f"{place} has the class {names}, which the images to train on do not have.")
    sources: list[Source] = []
    labels: list[int] = []
    for label, name in enumerate(tree.classes):
        folder = os.path.join(place, name)
        if part != "train" and not os.path.isdir(folder):
            continue
        before, others = len(sources), 0
        for path in _walk(folder):
            if _is_image(path):
                sources.append(Source(path))
            else:
                others += 1
                tree.skipped.append((path, "not an image, by its name"))
        count = len(sources) - before
        labels += [label] * count
        if not count:
            beside = f" (but {others} other file{'s' * (others != 1)})" if others else ""
            if part == "train":
                raise UsageError(f"The class folder {folder} holds no images{beside}: add some, or remove it.")
            tree.skipped.append((folder, f"a class folder without images{beside}"))
    for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
        if not entry.name.startswith(".") and _is_image(entry.name) and not _is_folder(entry):
            tree.skipped.append((entry.path, "an image that stands in no class folder"))
    tree.splits[part] = Split(sources, np.array(labels, np.int64))
    if part == "train":
        start = len(place.rstrip("/" + os.sep)) + 1
        tree.keys = [source.path[start:].replace(os.sep, "/") for source in sources]


def _subfolders(folder: str) -> list[str]:
    """Names of the folders in a folder, in order; hidden ones do not count."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be listed: {reason(error)}.") from error
    return sorted(names)


def _walk(top: str) -> Iterator[str]:
    """Every file below a folder, in order, images and others; links are followed, but not in circles."""
    # A stack and not recursion: folders may be nested more deeply than Python calls.
    stack = [(iter(_listing(top)), os.path.realpath(top))]
    above = {stack[0][1]}
    while stack:
        entries, real = stack[-1]
        for path, is_folder in entries:
            if not is_folder:
                yield path
            elif (target := os.path.realpath(path)) not in above:
                above.add(target)
                stack.append((iter(_listing(path)), target))
                break
        else:
            stack.pop()
            above.discard(real)


def _listing(folder: str) -> list[tuple[str, bool]]:
    """Paths in a folder, in order, and whether each is a folder; hidden names, pipes and devices do not count."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                is_folder = _is_folder(entry)
                if is_folder or _is_file(entry):
                    found.append((entry.name, entry.path, is_folder))
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be listed: {reason(error)}.") from error
    found.sort()
    return [(path, is_folder) for _, path, is_folder in found]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # An entry's own method raises for a link that leads to itself.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _is_file(entry: os.DirEntry[str]) -> bool:
    # A link that leads nowhere counts, so that it is reported when it is read.
    if entry.is_symlink():
        return os.path.isfile(entry.path) or not os.path.exists(entry.path)
    return entry.is_file()


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES
