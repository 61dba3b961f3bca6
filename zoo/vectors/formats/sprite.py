"""Many small images in one large one, a PNG that is written as it is drawn: one row of images is in memory."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.spec import Resize
from zoo.images import decode
from zoo.images.source import Source
from zoo.vectors.content import Entry, batched

#: Pixels that the large image has along a side at most, and a small one at most and at least.
LIMIT, LARGEST, SMALLEST = 8192, 64, 8

#: What stands for an image that cannot be read any more, and for none.
_GREY, _WHITE = 200, 255


def side(count: int) -> int:
    """Pixels along a side of each of so many images; 0 where they would be too small to be seen."""
    largest = min(LARGEST, LIMIT // max(1, columns(count)))
    return largest if largest >= SMALLEST else 0


def columns(count: int) -> int:
    """Images side by side, and one above the other: the whole is a square."""
    return math.ceil(math.sqrt(count))


def write(entries: Iterator[Entry], count: int, path: Path) -> None:
    """Draw images from left to right and from top to bottom.

    Raises:
        OSError: the file cannot be written.
    """
    across, size = columns(count), side(count)
    width = across * size
    with open(path, "wb") as file, ThreadPoolExecutor(processors(), thread_name_prefix="decode") as pool:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0))
        packer = zlib.compressobj(6)
        for row in range(across):
            images = next(batched(entries, across), []) if row * across < count else []
            band = _band(list(pool.map(lambda entry: _thumbnail(entry, size), images)), across, size)
            _chunk(file, b"IDAT", packer.compress(_filtered(band)))
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def _thumbnail(entry: Entry, size: int) -> np.ndarray:
    """The middle of an image, uint8 (size, size, 3)."""
    try:
        return decode.load(Source(entry.path), Resize(size, size, "crop", fraction=1.0))
    except ImageError:
        return np.full((size, size, 3), _GREY, np.uint8)


def _band(images: Sequence[np.ndarray], across: int, size: int) -> np.ndarray:
    """Images side by side, uint8 (size, across * size, 3)."""
    band = np.full((size, across * size, 3), _WHITE, np.uint8)
    for place, image in enumerate(images):
        band[:, place * size : (place + 1) * size] = image
    return band


def _filtered(band: np.ndarray) -> bytes:
    """Lines of pixels as PNG has them, each the difference to its left neighbour, which is packed more tightly."""
    lines = band.reshape(len(band), -1)
    differences = lines.copy()
    differences[:, 3:] -= lines[:, :-3]
    # A line begins with the number of its filter; 1 is this one.
    return np.insert(differences, 0, 1, axis=1).tobytes()


def _chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    """A part of a PNG file: its length, kind, bytes and checksum."""
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
