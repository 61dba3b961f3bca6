"""A folder with MNIST's files as a dataset: parts by the files' names, classes by ``labels.txt``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources import idx
from zoo.data.split import PARTS, Split
from zoo.images.sources import reason


def read(folder: str, *, training: bool = True) -> tuple[tuple[str, ...], dict[str, Split]]:
    """The classes and parts of a folder with IDX files; no parts where it holds none.

    Args:
        folder: where they are.
        training: whether there must be some to train on.

    Raises:
        UsageError: a file is damaged or without a partner, or a label has no name.
    """
    pairs = idx.find(folder)
    if not pairs:
        return (), {}
    if training and "train" not in pairs:
        raise UsageError(f"{folder} holds {os.path.basename(next(iter(pairs.values())).images)}, and none to train on.")
    arrays = {part: idx.read_pair(pairs[part]) for part in PARTS if part in pairs}
    values = np.unique(next(iter(arrays.values()))[1])
    names, first = _names(folder, values)
    splits = {}
    for part, (images, labels) in arrays.items():
        numbers = first[labels]
        if (numbers < 0).any():
            wrong = int(labels[np.flatnonzero(numbers < 0)[0]])
            raise UsageError(f"{pairs[part].labels} has the label {wrong}, which is the number of no class.")
        name = pairs[part].images
        splits[part] = Split(idx.Images(images, np.arange(len(labels)), name), numbers)
    return names, splits


def _names(folder: str, values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes, and the number of the class for each of the 256 labels, -1 for none."""
    numbers = np.full(256, -1, np.int64)
    file = os.path.join(folder, "labels.txt")
    if not os.path.isfile(file):
        # Some sets begin to count at 1.
        numbers[values] = np.arange(len(values))
        return tuple(str(value) for value in values), numbers
    try:
        names = tuple(line.strip() for line in Path(file).read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {reason(error)}.") from error
    if len(set(names)) < len(names):
        raise UsageError(f"{file} has the same name twice; every line is the name of one class.")
    if not len(names) <= len(numbers):
        raise UsageError(f"{file} has {len(names)} lines; an IDX file has no more than {len(numbers)} classes.")
    numbers[: len(names)] = np.arange(len(names))
    return names, numbers
