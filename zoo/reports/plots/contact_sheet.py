"""Many images on one page, each with a caption: what goes in, or what is mistaken for what."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.reports.plots.canvas import (
    DPI,
    INK,
    POINTS,
    QUIET,
    clean,
    new_figure,
    note,
    shortened,
    style,
    text_width,
    to_pixels,
    wrapped,
    write_png,
)

#: The longest side that an image has on the page, in pixels, and the same where there are many; small images are
#: enlarged by a whole factor up to it.
SIDE, SMALL_SIDE = 160, 112
#: More images than these are counted, not shown.
LIMIT = 500
#: Most columns of a page, of large and of small images, that nobody gave a number for.
COLUMNS, SMALL_COLUMNS = 7, 9
#: More images than these are many.
MANY = 35

_GAP, _MARGIN = 16, 30
_NARROWEST = 96
_POINTS, _LINE = 7.0, 17
_TITLE_POINTS, _TITLE, _TITLE_WIDTH = 11.0, 40, 900
#: Lines that one line of a caption may be broken into.
_BROKEN = 3
_HAIRLINE = 204


def sheet(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    path: str | os.PathLike[str],
    *,
    columns: int | None = None,
    title: str | None = None,
    colours: Sequence[str] | None = None,
) -> None:
    """Write what :func:`sheet_image` draws as a PNG file.

    Raises:
        UsageError: as for :func:`sheet_image`.
        UnavailableError: the file cannot be written.
    """
    write_png(sheet_image(images, captions, columns=columns, title=title, colours=colours), path)


def sheet_image(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    columns: int | None = None,
    title: str | None = None,
    colours: Sequence[str] | None = None,
) -> np.ndarray:
    """Draw a contact sheet.

    Args:
        images: uint8 (height, width, 3), or grey (height, width) or (height, width, 1), of any sizes. The first
            :data:`LIMIT` are shown.
        captions: one for each image; its lines are broken where they are too long, and cut where that is not enough.
        columns: images side by side; without, what fills a page's width and the last line.
        title: stands above.
        colours: of the captions, one for each image, e.g. :data:`zoo.reports.plots.WRONG`.

    Returns:
        uint8 RGB (height, width, 3).

    Raises:
        UsageError: the lengths differ, or an image is no such array.
    """
    colours = [INK] * len(images) if colours is None else colours
    if not len(images) == len(captions) == len(colours):
        raise UsageError(f"{len(images)} images have {len(captions)} captions and {len(colours)} colours.")
    if not len(images):
        return note("No images." if title is None else f"{title}: no images")
    many = len(images) > MANY or (columns or 0) > COLUMNS
    shown = [_fitted(image, SMALL_SIDE if many else SIDE) for image in images[:LIMIT]]
    columns = max(1, columns or _columns(len(shown), SMALL_COLUMNS if many else COLUMNS))
    return _page(shown, captions, min(columns, len(shown)), title, colours, len(images) - len(shown))


def _page(
    tiles: list[np.ndarray],
    captions: Sequence[str],
    columns: int,
    title: str | None,
    colours: Sequence[str],
    left_out: int,
) -> np.ndarray:
    """Tiles on a white page, and text over it."""
    cell = max(_NARROWEST, *(tile.shape[1] for tile in tiles))
    with style():
        heading = shortened(clean(title), _TITLE_POINTS, _TITLE_WIDTH / DPI, "bold") if title else ""
        across = max(columns * cell + (columns - 1) * _GAP, round(text_width(heading, _TITLE_POINTS, "bold") * DPI))
        width = 2 * _MARGIN + across
        texts = [_lines(caption, cell) for caption in captions[: len(tiles)]]
        tops, heights, bottom = _rows(tiles, texts, columns, _MARGIN + (_TITLE if heading else 0))
        height = bottom + _MARGIN + (_LINE if left_out else 0)
        page = np.full((height, width, 3), 255, np.uint8)
        figure = new_figure(width / DPI, height / DPI)

        def write(text: str, x: float, y: float, **how: Any) -> None:
            # Matplotlib counts from below, in pixels where it is told of no other system.
            figure.text(x, height - y, text, transform=None, va="baseline", **how)

        for index, (tile, lines, colour) in enumerate(zip(tiles, texts, colours, strict=False)):
            row, column = divmod(index, columns)
            left = _MARGIN + column * (cell + _GAP)
            # Centred, and standing on the caption.
            x, y = left + (cell - tile.shape[1]) // 2, tops[row] + heights[row] - tile.shape[0]
            page[y - 1 : y + tile.shape[0] + 1, x - 1 : x + tile.shape[1] + 1] = _HAIRLINE
            page[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            for number, line in enumerate(lines, start=1):
                base = tops[row] + heights[row] + number * _LINE
                write(line, left + cell / 2, base, ha="center", fontsize=_POINTS, color=colour)
        if heading:
            write(heading, _MARGIN, _MARGIN + _TITLE_POINTS * DPI / POINTS, fontsize=_TITLE_POINTS, weight="bold")
        if left_out:
            write(f"and {left_out:,} more", _MARGIN, height - _MARGIN, fontsize=_POINTS, color=QUIET)
        figure.figimage(page, zorder=-1)
        return to_pixels(figure)


def _rows(tiles: list[np.ndarray], texts: list[list[str]], columns: int, top: int) -> tuple[list[int], list[int], int]:
    """Where each line of images begins, how high its images are, and where the last caption ends, in pixels."""
    tops, heights = [], []
    for start in range(0, len(tiles), columns):
        tops.append(top)
        heights.append(max(tile.shape[0] for tile in tiles[start : start + columns]))
        lines = max(len(text) for text in texts[start : start + columns])
        top += heights[-1] + lines * _LINE + _GAP + (_LINE // 2 if lines else 0)
    return tops, heights, top - _GAP


def _lines(caption: str, cell: int) -> list[str]:
    """A caption broken into lines that are no wider than the image's place."""
    parts = str(caption).splitlines()
    return [line for part in parts for line in wrapped(clean(part), _POINTS, cell / DPI, _BROKEN)]


def _fitted(image: np.ndarray, side: int) -> np.ndarray:
    """An image at the size that it has on the page: dots stay dots, photographs are reduced smoothly."""
    found = f"{image.dtype} of the shape {image.shape}"
    if image.ndim == 2:
        image = image[..., None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
        raise UsageError(f"An image for a sheet is uint8 (height, width, 3), not {found}.")
    height, width = image.shape[:2]
    image = np.broadcast_to(image, (height, width, 3))
    longest = max(height, width)
    if longest <= side:
        factor = side // longest
        return image.repeat(factor, axis=0).repeat(factor, axis=1)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.array(Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.LANCZOS))


def _columns(count: int, most: int) -> int:
    """As many as a page has room for, or a few less where that leaves no gap in the last line."""
    if count <= most:
        return count
    return min(range(most, most - 3, -1), key=lambda columns: math.ceil(count / columns) * columns - count)
