"""TensorBoard's sprite image: thumbnails in a square grid, a PNG that is written row by row in bounded memory."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
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

#: Largest side of the sprite image, and largest and smallest side of a thumbnail, in pixels.
LIMIT, LARGEST, SMALLEST = 8192, 64, 8
#: Grey levels of an unreadable image and of an empty cell.
_GREY, _WHITE = 200, 255


def side(count: int) -> int:
    """Side of a thumbnail in pixels; 0 if they would be too small."""
    largest = min(LARGEST, LIMIT // max(1, columns(count)))
    return largest if largest >= SMALLEST else 0


def columns(count: int) -> int:
    """Columns and rows of the grid."""
    return math.ceil(math.sqrt(count))


def write(entries: Iterator[Entry], count: int, path: Path) -> None:
    """Draw images from left to right and from top to bottom; raises OSError if the file cannot be written."""
    across, size = columns(count), side(count)
    width = across * size
    with open(path, "wb") as file, ThreadPoolExecutor(processors(), thread_name_prefix="decode") as pool:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0))
        packer = zlib.compressobj(6)
        for row in range(across):
            images = next(batched(entries, across), []) if row * across < count else []
            band = np.full((size, across * size, 3), _WHITE, np.uint8)
            for place, image in enumerate(pool.map(lambda entry: _thumbnail(entry, size), images)):
                band[:, place * size : (place + 1) * size] = image
            _chunk(file, b"IDAT", packer.compress(_filtered(band)))
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def _thumbnail(entry: Entry, size: int) -> np.ndarray:
    """The centre crop of an image, uint8 (size, size, 3)."""
    try:
        return decode.load(Source(entry.path), Resize(size, size, "crop", fraction=1.0))
    except ImageError:
        return np.full((size, size, 3), _GREY, np.uint8)


def _filtered(band: np.ndarray) -> bytes:
    """Lines of pixels with PNG's filter 1, differences to the left neighbour, which compress better."""
    lines = band.reshape(len(band), -1)
    differences = lines.copy()
    differences[:, 3:] -= lines[:, :-3]
    return np.insert(differences, 0, 1, axis=1).tobytes()


def _chunk(file: IO[bytes], kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
