"""A folder with MNIST's IDX files: parts by the files' names, classes by ``labels.txt``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError, describe_os_error
from zoo.data import idx
from zoo.data.sources.base import Parsed
from zoo.data.split import PARTS, Split


class IdxFolder:
    """A folder with IDX files; see :class:`~zoo.data.sources.base.DatasetSource`."""

    def __init__(self, folder: str, pairs: dict[str, idx.Pair]) -> None:
        """``pairs``: the files of each part, at least one."""
        self.root = folder
        self.recorded = False
        self._pairs = pairs
        self.parts = tuple(part for part in PARTS if part in pairs)

    def read(self, parts: Sequence[str]) -> Parsed:
        """Read the files; see :meth:`~zoo.data.sources.base.DatasetSource.read`."""
        # All of them, because the first says what classes there are.
        arrays = {part: idx.read_pair(self._pairs[part]) for part in self.parts}
        names, numbers_of = _class_names(self.root, np.unique(arrays[self.parts[0]][1]))
        splits = {}
        for part in parts:
            images, values = arrays[part]
            labels = numbers_of[values]
            if (labels < 0).any():
                wrong = int(values[np.flatnonzero(labels < 0)[0]])
                raise UsageError(f"{self._pairs[part].labels} has the label {wrong}, which is the number of no class.")
            splits[part] = Split(idx.IdxImages(images, np.arange(len(labels)), self._pairs[part].images), labels)
        return Parsed(names, splits, lambda: [str(number) for number in range(len(splits["train"]))])


def open_folder(path: str) -> IdxFolder | None:
    """Open a folder; ``None`` if it holds no IDX files."""
    pairs = idx.find(path) if os.path.isdir(path) else {}
    return IdxFolder(path, pairs) if pairs else None


def _class_names(folder: str, values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
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
        raise UsageError(f"{file} cannot be read: {describe_os_error(error)}.") from error
    if len(set(names)) < len(names):
        raise UsageError(f"{file} has the same name twice; every line is the name of one class.")
    if len(names) > len(numbers):
        raise UsageError(f"{file} has {len(names)} lines; an IDX file has no more than {len(numbers)} classes.")
    numbers[: len(names)] = np.arange(len(names))
    return names, numbers
