"""Thumbnails of many images on JPEG sheets, which a page embeds."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.progress import Progress
from zoo.core.spec import Resize
from zoo.images import decode
from zoo.images.source import Source

#: Bytes of all thumbnails of a page; a third more after base64 encoding.
BUDGET = 16_000_000
#: Sides of a thumbnail: multiples of 16, so that no JPEG block spans two of them.
SIDES = (160, 128, 96, 64, 48, 32, 16)
#: Grey level of an image that cannot be read.
GREY = 136

#: Approximate bytes for a pixel at the first quality.
_BYTES = 0.3
_QUALITIES = (82, 70, 56, 42, 28, 15)
#: Approximate width and height of a sheet in pixels.
_SHEET = 1024
#: Images that are opened to see whether all are tiny.
_SAMPLED = 24


@dataclass(frozen=True)
class Sheet:
    """A JPEG file with some thumbnails; ``missing`` has (index, error) of the images that are grey."""

    jpeg: bytes
    missing: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Layout:
    """Thumbnails of ``side`` pixels in ``columns`` columns and as many rows."""

    side: int
    columns: int

    @property
    def tiles(self) -> int:
        """Thumbnails on a sheet."""
        return self.columns**2


def layout(paths: Sequence[str]) -> Layout:
    """The largest thumbnails that :data:`BUDGET` allows, but no larger than the images."""
    count = max(1, len(paths))
    side = next((side for side in SIDES if count * side**2 * _BYTES <= BUDGET), SIDES[-1])
    step = max(1, count // _SAMPLED)
    sizes = [size for path in paths[::step][:_SAMPLED] if (size := _shorter_side(path)) is not None]
    if sizes and max(sizes) < side:
        side = next((known for known in reversed(SIDES) if known >= max(sizes)), side)
    return Layout(side, min(_SHEET // side, math.ceil(math.sqrt(count))))


def sheets(paths: Sequence[str], form: Layout, progress: Progress | None = None) -> Iterator[Sheet]:
    """Draw centre crops of images in order; one sheet is in memory at a time."""
    resize = Resize(form.side, form.side, "crop", fraction=1.0)

    def read(path: str) -> np.ndarray | str:
        try:
            return decode.load(_source(path), resize)
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
            yield Sheet(_jpeg(page, BUDGET * len(part) / len(paths)), tuple(missing))


def _jpeg(page: np.ndarray, allowed: float) -> bytes:
    """The page at the best quality within the allowed bytes, or at the last."""
    data = b""
    for quality in _QUALITIES:
        stream = io.BytesIO()
        Image.fromarray(page).save(stream, "JPEG", quality=quality, optimize=True)
        data = stream.getvalue()
        if len(data) <= allowed:
            break
    return data


def _shorter_side(path: str) -> int | None:
    try:
        return min(decode.decode(_source(path)).size)
    except ImageError:
        return None


def _source(path: str) -> Source:
    """The image of a path; URLs are not downloaded again."""
    if path.lower().startswith(("http://", "https://")):
        return Source(path, "url", problem="a URL, which is not downloaded for a thumbnail")
    return Source(path)
