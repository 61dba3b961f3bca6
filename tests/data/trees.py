"""Small datasets, written for the tests."""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def image(number: int, height: int = 12, width: int = 16) -> np.ndarray:
    """An image unlike any other; uint8 (height, width, 3)."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def class_folders(folder: Path, counts: Mapping[str, int], *, suffix: str = ".png", start: int = 0) -> Path:
    """A folder for each class with so many images; ``start`` keeps those of two trees apart."""
    number = start
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(image(number)).save(folder / name / f"{index}{suffix}")
            number += 1
    return folder


def idx(array: np.ndarray) -> bytes:
    """The bytes of an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_folder(
    folder: Path,
    *,
    train: int = 40,
    test: int = 10,
    size: tuple[int, int] = (8, 6),
    values: Iterable[int] = range(4),
    suffix: str = "",
    names: tuple[str, str] = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """A folder with IDX files; what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, values = np.random.default_rng(7), np.array(list(values), np.uint8)
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    content = {}
    for part, count, stem in (("train", train, "train"), ("test", test, "t10k")):
        images, labels = rng.integers(0, 256, (count, *size), np.uint8), values[np.arange(count) % len(values)]
        content[part] = images, labels
        for name, array in zip(names, (images, labels), strict=True):
            (folder / (name.replace("train", stem) + suffix)).write_bytes(pack(idx(array)))
    return content
