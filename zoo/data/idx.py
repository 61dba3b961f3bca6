"""MNIST's file format, IDX (LeCun, Cortes and Burges, 1998): small grey images or labels; plain, gzip or xz."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from zoo.core.errors import UsageError, describe_os_error
from zoo.images.source import Source

_OPENERS: dict[str, Callable[[str, Literal["rb"]], Any]] = {".gz": gzip.open, ".xz": lzma.open}
#: What such files are called: ``train-images-idx3-ubyte``, ``train-images.idx3-ubyte.gz``, ``emnist-test-labels-…``.
_NAME = re.compile(r"(?P<stem>.+)-(?P<what>images|labels)[-.]idx[13]-ubyte(?P<suffix>|\.gz|\.xz)")
#: How a stem ends, and the part that it is.
_PARTS = {"train": "train", "t10k": "test", "test": "test", "val": "val", "valid": "val", "validation": "val"}
#: Bytes of a compressed file's contents at most, so that a small file cannot exhaust the memory.
_LIMIT = 1 << 33


@dataclass(frozen=True, eq=False)
class IdxImages(Sequence[Source]):
    """Images of ``pixels``, uint8 (all, height, width), at ``indices``, as sources that are made when needed."""

    pixels: np.ndarray
    indices: np.ndarray
    name: str

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(index)
        number = int(self.indices[index])
        return Source.from_array(self.pixels[number], name=f"{self.name}[{number}]")

    def take(self, indices: np.ndarray | slice) -> IdxImages:
        """Those at ``indices``, integers (m,), in that order."""
        return IdxImages(self.pixels, self.indices[indices], self.name)


class Pair(NamedTuple):
    """The files of one part: images and labels."""

    images: str
    labels: str


def find(folder: str) -> dict[str, Pair]:
    """The IDX files in a folder, by part; empty if it holds none."""
    files: dict[tuple[str, str], str] = {}
    # In this order a plain file wins over its compressed form.
    for name in sorted(os.listdir(folder), reverse=True):
        match = _NAME.fullmatch(name)
        if match and os.path.isfile(os.path.join(folder, name)):
            files[match["stem"], match["what"]] = os.path.join(folder, name)
    pairs: dict[str, Pair] = {}
    for stem in sorted({stem for stem, _ in files}):
        part = next((part for end, part in _PARTS.items() if re.search(rf"(^|[-_.]){end}$", stem)), None)
        if part is None:
            continue
        missing = next((what for what in ("images", "labels") if (stem, what) not in files), None)
        if missing:
            present = files[stem, "labels" if missing == "images" else "images"]
            raise UsageError(f"{present} has no {missing} beside it: put {stem}-{missing}-idx…-ubyte there.")
        if part in pairs:
            raise UsageError(
                f"{folder} holds more than one set of IDX files to {part} on, {os.path.basename(pairs[part].images)} "
                f"and {os.path.basename(files[stem, 'images'])}; put each in a folder of its own."
            )
        pairs[part] = Pair(files[stem, "images"], files[stem, "labels"])
    return pairs


def read_pair(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """The images, uint8 (n, height, width), and the labels, uint8 (n,), of one part."""
    images, labels = read_file(pair.images, dimensions=3), read_file(pair.labels, dimensions=1)
    if len(images) != len(labels):
        raise UsageError(f"{pair.images} holds {len(images):,} images and {pair.labels} {len(labels):,} labels.")
    return images, labels


def read_file(path: str, *, dimensions: int) -> np.ndarray:
    """The array in an IDX file of unsigned bytes with so many dimensions; a plain file is memory-mapped."""
    opener = _OPENERS.get(os.path.splitext(path)[1])
    try:
        with opener(path, "rb") if opener else open(path, "rb") as file:
            shape = _header(file, path, dimensions)
            size = math.prod(shape)
            data = file.read(min(size, _LIMIT) + 1) if opener else None
            held = os.fstat(file.fileno()).st_size - file.tell() if data is None else len(data)
            if held != size:
                said = " × ".join(f"{length:,}" for length in shape)
                counted = f"more than {size:,}" if data is not None and held > size else f"{held:,}"
                raise UsageError(f"{path} says that it holds {said} values, and holds {counted}: download it again.")
            if data is None:
                return np.memmap(file, np.uint8, "r", 4 + 4 * dimensions, shape) if size else np.empty(shape, np.uint8)
            return np.frombuffer(data, np.uint8).reshape(shape)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise UsageError(f"{path} cannot be decompressed ({str(error).rstrip('.')}): download it again.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {describe_os_error(error)}.") from error


def _header(file: BinaryIO, path: str, dimensions: int) -> tuple[int, ...]:
    """The lengths of the dimensions."""
    header = file.read(4 + 4 * dimensions)
    if len(header) < 4 or header[:2] != b"\0\0":
        raise UsageError(f"{path} is no IDX file: it begins with {header[:4].hex(' ') or 'nothing'}.")
    kind, count = header[2], header[3]
    if kind != 0x08 or count != dimensions:
        raise UsageError(
            f"{path} holds values of type {kind:#04x} in {count} dimension{'s' * (count != 1)}; "
            f"expected are unsigned bytes (0x08) in {dimensions}."
        )
    if len(header) < 4 + 4 * dimensions:
        raise UsageError(f"{path} ends within its header: download it again.")
    return struct.unpack(f">{dimensions}I", header[4:])
