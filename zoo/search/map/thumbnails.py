"""Thumbnails of many images, side by side on sheets that a page holds as JPEG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.spec import Resize
from zoo.images import decode as images
from zoo.images.sources import Source

#: Bytes that all thumbnails of a page may take together; a third more as the text that a page is.
BUDGET = 16_000_000
#: Sides that a thumbnail may have. Multiples of 16, so that no block of a JPEG has parts of two of them.
SIDES = (160, 128, 96, 64, 48, 32, 16)

#: Bytes of a pixel of a thumbnail, about, at the first of the qualities.
_BYTES = 0.3
_QUALITIES = (82, 70, 56, 42, 28, 15)
#: A sheet is about so many pixels wide and high: what a browser decodes at once.
_SHEET = 1024
#: Images that are opened to see whether all are tiny.
_LOOKED_AT = 24
#: What stands for an image that is not there any more.
GREY = 136

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sheet:
    """Some thumbnails. ``jpeg`` is the file; ``missing`` has (index, reason) of those that are grey instead."""

    jpeg: bytes
    missing: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Layout:
    """How thumbnails lie on sheets: ``side`` pixels each, ``columns`` side by side, as many rows."""

    side: int
    columns: int

    @property
    def tiles(self) -> int:
        """Thumbnails on a sheet."""
        return self.columns**2


def layout(paths: Sequence[str]) -> Layout:
    """The size of thumbnails that :data:`BUDGET` allows; no larger than tiny images are themselves."""
    count = max(1, len(paths))
    side = next((side for side in SIDES if count * side**2 * _BYTES <= BUDGET), SIDES[-1])
    step = max(1, count // _LOOKED_AT)
    sizes = [size for path in paths[::step][:_LOOKED_AT] if (size := _size(path)) is not None]
    if sizes:
        side = next((known for known in reversed(SIDES) if known >= max(sizes)), side) if max(sizes) < side else side
    return Layout(side, min(_SHEET // side, math.ceil(math.sqrt(count))))


def sheets(paths: Sequence[str], form: Layout, progress: Progress | None = None) -> Iterator[Sheet]:
    """Draw the thumbnails of images, in order; one sheet is in memory at a time.

    Each is the largest square in the middle of its image. An image that cannot be read is grey.

    Args:
        paths: of the images.
        form: how they lie.
        progress: called with the images done and those in all.
    """
    resize = Resize(form.side, form.side, "crop", fraction=1.0)
    allowed = BUDGET * form.tiles / max(1, len(paths))

    def read(path: str) -> np.ndarray | str:
        try:
            return images.load(_source(path), resize)
        except ImageError as error:
            return str(error)

    with ThreadPoolExecutor(processors(), thread_name_prefix="thumbnail") as pool:
        for start in range(0, len(paths), form.tiles):
            part = paths[start : start + form.tiles]
            rows = math.ceil(len(part) / form.columns)
            page = np.full((rows * form.side, form.columns * form.side, 3), GREY, np.uint8)
            missing = []
            for place, pixels in enumerate(pool.map(read, part)):
                if isinstance(pixels, str):
                    missing.append((start + place, pixels))
                else:
                    y, x = (form.side * number for number in divmod(place, form.columns))
                    page[y : y + form.side, x : x + form.side] = pixels
                if progress is not None:
                    progress(start + place + 1, len(paths))
            yield Sheet(_jpeg(page, allowed * len(part) / form.tiles), tuple(missing))


def _jpeg(page: np.ndarray, allowed: float) -> bytes:
    """The page at the best quality that is small enough, or else at the last."""
    data = b""
    for quality in _QUALITIES:
        stream = io.BytesIO()
        Image.fromarray(page).save(stream, "JPEG", quality=quality, optimize=True)
        data = stream.getvalue()
        if len(data) <= allowed:
            break
    return data


def _size(path: str) -> int | None:
    """The shorter side of an image, which is that of its square."""
    try:
        return min(images.decode(_source(path)).size)
    except ImageError:
        return None


def _source(path: str) -> Source:
    """The image of a path. What came from an address is not fetched a second time."""
    if path.lower().startswith(("http://", "https://")):
        return Source(path, "url", problem="an address, which is not fetched for a thumbnail")
    return Source(path)
