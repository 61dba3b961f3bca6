"""Files with the same contents, found without reading more than necessary."""

from __future__ import annotations

import contextlib
import hashlib
import os

import numpy as np

from zoo.core.groups import equal_groups
from zoo.data.idx import IdxImages
from zoo.data.split import Split


def groups(split: Split) -> list[np.ndarray]:
    """Indices of images with the same bytes; only files of equal size are read."""
    if isinstance(split.sources, IdxImages):
        pixels = split.sources.pixels[split.sources.indices]
        return equal_groups(hashlib.blake2b(image.tobytes()).digest() for image in pixels)
    paths = [source.path for source in split.sources]
    found = []
    for candidates in equal_groups(map(_size, paths)):
        found += [candidates[group] for group in equal_groups(_digest(paths[index]) for index in candidates)]
    return found


def _size(path: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return os.stat(path).st_size
    return None


def _digest(path: str) -> bytes | None:
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
    return None
