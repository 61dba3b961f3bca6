"""Small JPEGs with equal headers, decoded without parsing the same header again and again.

Pillow spends two thirds of a 32×32 JPEG's 0.1 ms on its header, in Python. This reuses what it found for files that
begin with the same bytes, by a private function of Pillow; others go to :func:`zoo.images.decode.load`.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.images.colours import to_rgb
from zoo.images.decode import fit, load
from zoo.images.header import identify
from zoo.images.source import Source

#: Bytes of the largest file, which are given to Pillow's decoder at once.
LARGEST = 1 << 16
#: Headers, and lengths of headers, that are remembered. If every file has its own, nothing can be gained.
MOST_HEADERS, MOST_LENGTHS = 256, 8
#: An image whose sides are more than so many times the target's may be decoded at a reduced size, by ``load``.
MOST_REDUCTION = 2


class Header(NamedTuple):
    """What Pillow reads from a header."""

    mode: str
    size: tuple[int, int]
    arguments: tuple[Any, ...]


@dataclass
class SharedHeaderReader:
    """Reads images to the size of ``resize``: the same pixels and errors as :func:`zoo.images.decode.load`."""

    resize: Resize
    #: The header, or ``None`` if its files have to go to ``load``, by its bytes; and the lengths of headers.
    _headers: dict[bytes, Header | None] = field(default_factory=dict)
    _lengths: list[int] = field(default_factory=list)

    def load(self, source: Source) -> np.ndarray:
        """The pixels of an image, as :func:`zoo.images.decode.load` gives them."""
        if source.kind != "file" or source.problem:
            return load(source, self.resize)
        try:
            data = _read(source.path)
        except (OSError, ValueError):
            # Missing, forbidden, a folder: load() has the error messages.
            data = b""
        if not data.startswith(b"\xff\xd8\xff") or len(data) >= LARGEST:
            return load(source, self.resize)
        for length in self._lengths:
            known = self._headers.get(data[:length])
            if known is not None and (img := _decoded(data, known)) is not None:
                rgb = to_rgb(img)
                return np.asarray(rgb) if is_fit(img.size, self.resize) else fit(rgb, self.resize)
        image = load(source, self.resize)
        if len(self._headers) < MOST_HEADERS:
            self._learn(data)
        return image

    def _learn(self, data: bytes) -> None:
        """Remember the header of a file that ``load`` has decoded."""
        length = _header_length(data)
        if length is None or data[:length] in self._headers:
            return
        if length not in self._lengths:
            if len(self._lengths) >= MOST_LENGTHS:
                return
            self._lengths.append(length)
        self._headers[data[:length]] = self._header(data)

    def _header(self, data: bytes) -> Header | None:
        try:
            img: Any = identify(io.BytesIO(data))
        except ImageError:
            return None
        is_plain = (
            img.format == "JPEG"
            and img.mode in ("RGB", "L")
            and not {"exif", "xmp", "progressive", "progression", "transparency"} & set(img.info)
            and img.width <= MOST_REDUCTION * self.resize.width
            and img.height <= MOST_REDUCTION * self.resize.height
            and [tuple(tile[:3]) for tile in img.tile] == [("jpeg", (0, 0, *img.size), 0)]
        )
        return Header(img.mode, img.size, (*img.tile[0][3], *img.decoderconfig)) if is_plain else None


def is_fit(size: tuple[int, int], resize: Resize) -> bool:
    """Whether a resize leaves an image of (width, height) as it is."""
    return size == (resize.width, resize.height) and (resize.policy != "crop" or resize.fraction == 1)


def _read(path: str) -> bytes:
    """The file, or the beginning of a large one; twice as fast as Python's own file objects."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        return os.read(descriptor, LARGEST)
    finally:
        os.close(descriptor)


def _decoded(data: bytes, header: Header) -> Image.Image | None:
    """The image in a file with a known header; ``None`` if its pixels do not end as they should."""
    try:
        img: Any = Image.new(header.mode, header.size)
        decoder = Image._getdecoder(header.mode, "jpeg", header.arguments)  # type: ignore[attr-defined]
        decoder.setimage(img.im, (0, 0, *header.size))
        consumed, error = decoder.decode(data)
        decoder.cleanup()
    except Exception:  # Another Pillow may do it in another way; load() is always there.
        return None
    # As in Pillow's own loop: a negative count ends it, a negative code is an error.
    return img if consumed < 0 and error >= 0 else None


def _header_length(data: bytes) -> int | None:
    """Bytes up to the pixels of a JPEG; ``None`` if it is not built of plain segments."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == 0xDA:  # start of scan
            return position
    return None
