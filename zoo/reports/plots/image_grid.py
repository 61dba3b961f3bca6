"""Captioned images in a grid on a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.reports.plots import canvas

#: The longest side of an image on a sheet, in pixels, and the same if there are many images.
SIDE, SMALL_SIDE = 160, 112
#: The maximum of images on a sheet; the rest is counted.
LIMIT = 500
#: The default maximum of columns of a sheet, for large and for small images.
COLUMNS, SMALL_COLUMNS = 7, 9
#: From more than this on images are small.
MANY = 35

_MARGIN, _GAP = 30, 16
_TITLE_POINTS, _POINTS, _LINE = 8.0, 7.0, 17
_HEADING_POINTS, _HEADING, _HEADING_WIDTH = 11.0, 36, 6.0
#: Lines that a title, and one line of text, may be broken into.
_BROKEN = 3
#: Between an image and what is below it; the height and width of a scale, and the space between two.
_AIR, _SCALE, _SCALE_WIDTH, _BETWEEN = 7, 10, 200, 40
#: The minimum widths of a page with notes, and of an image's cell on a sheet.
_NOTES_WIDTH, _CELL = 360, 96
_HAIRLINE = 204
#: The thickness of the frame of a marked image.
_MARK = 4


@dataclass(frozen=True, eq=False)
class Scale:
    """What the colours of an image stand for."""

    #: uint8 (n, 3), from left to right.
    colours: np.ndarray
    #: Captions of its ends and its middle.
    low: str
    high: str
    middle: str = ""


@dataclass(frozen=True, eq=False)
class Panel:
    """An image and its caption."""

    #: uint8 RGB (height, width, 3), shown pixel by pixel.
    pixels: np.ndarray
    title: str = ""
    lines: Sequence[str] = ()
    scale: Scale | None = None
    #: In a blue frame.
    marked: bool = False
    #: Written over the middle of the image.
    note: str = ""
    #: Of ``lines``.
    colour: str = canvas.INK


@dataclass(frozen=True, eq=False)
class Block:
    """Images in rows of ``columns``; ``centred`` in their cells instead of to the left."""

    panels: Sequence[Panel]
    columns: int
    heading: str = ""
    centred: bool = False

    @property
    def cell(self) -> int:
        """The width of a cell."""
        return max(_CELL if self.centred else 0, *(int(panel.pixels.shape[1]) for panel in self.panels))

    @property
    def width(self) -> int:
        """The width of a row."""
        columns = min(self.columns, len(self.panels))
        return columns * self.cell + (columns - 1) * _GAP


def page(blocks: Sequence[Block], *, scales: Sequence[Scale] = (), notes: Sequence[str] = ()) -> np.ndarray:
    """Draw blocks one below the other.

    Args:
        blocks: at least one, each with at least one image.
        scales: of all images; at the end, side by side.
        notes: lines at the end.

    Returns:
        uint8 RGB (height, width, 3).
    """
    with canvas.style():
        bars = len(scales) * (_SCALE_WIDTH + _BETWEEN) - _BETWEEN
        across = max(bars, _NOTES_WIDTH if notes else 0, *(block.width for block in blocks))
        room = max(_HEADING_WIDTH, across / canvas.DPI)
        headings = [canvas.shortened(one.heading, _HEADING_POINTS, room, "bold") for one in blocks]
        widest = max(canvas.text_width(heading, _HEADING_POINTS, "bold") for heading in headings)
        across = max(across, math.ceil(widest * canvas.DPI))
        ink = _Ink()
        top = _MARGIN
        for number, (block, heading) in enumerate(zip(blocks, headings, strict=True)):
            top += _GAP if number else 0
            if heading:
                base = top + _HEADING_POINTS * canvas.DPI / canvas.POINTS
                ink.write(heading, _MARGIN, base, fontsize=_HEADING_POINTS, weight="bold", color=canvas.INK)
                top += _HEADING
            top = _block(ink, block, top)
        if scales:
            top = _GAP // 2 + max(
                _scale(ink, scale, _MARGIN + number * (_SCALE_WIDTH + _BETWEEN), top + _GAP // 2, _SCALE_WIDTH)
                for number, scale in enumerate(scales)
            )
        for text in notes:
            for line in canvas.wrapped(text, _POINTS, across / canvas.DPI, _BROKEN):
                top += _LINE
                ink.write(line, _MARGIN, top - 4, fontsize=_POINTS, color=canvas.QUIET)
        return ink.drawn(2 * _MARGIN + across, top + _MARGIN - _GAP // 2)


def sheet_image(
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    *,
    columns: int | None = None,
    title: str = "",
    colours: Sequence[str] | None = None,
) -> np.ndarray:
    """Draw a contact sheet: images at a common size, each above its caption.

    Args:
        images: uint8 (height, width, 3), or grey (height, width) or (height, width, 1), of any sizes. The first
            :data:`LIMIT` are shown.
        captions: one for each image; long lines are broken, and cut if that is not enough.
        columns: images side by side; if omitted, what fills the width of a page and the last row.
        title: above the images.
        colours: of the captions, one for each image, e.g. :data:`zoo.reports.plots.WRONG`.

    Returns:
        uint8 RGB (height, width, 3).

    Raises:
        UsageError: the lengths differ, or an image is no such array.
    """
    colours = [canvas.INK] * len(images) if colours is None else colours
    if not len(images) == len(captions) == len(colours):
        raise UsageError(f"{len(images)} images have {len(captions)} captions and {len(colours)} colours.")
    if not len(images):
        return canvas.note(f"{title}: no images" if title else "No images.")
    small = len(images) > MANY or (columns or 0) > COLUMNS
    panels = [
        Panel(_fitted(image, SMALL_SIDE if small else SIDE), lines=str(caption).splitlines(), colour=colour)
        for image, caption, colour in zip(images[:LIMIT], captions, colours, strict=False)
    ]
    columns = max(1, columns or full_rows(len(panels), SMALL_COLUMNS if small else COLUMNS))
    left_out = len(images) - len(panels)
    return page([Block(panels, columns, title, centred=True)], notes=[f"and {left_out:,} more"] if left_out else [])


def mistake_caption(truth: str, predicted: str, score: float) -> str:
    """The caption of a misclassified image; the score is cut off, so that none is 100 %."""
    return f"{truth}\nnot {predicted}\N{NO-BREAK SPACE}{min(99, int(100 * score))}%"


def full_rows(count: int, most: int) -> int:
    """``most`` columns, or up to two fewer if that leaves a smaller gap in the last row."""
    if count <= most:
        return count
    return min(range(most, max(most - 3, 1), -1), key=lambda columns: math.ceil(count / columns) * columns - count)


def near_square(count: int) -> int:
    """The columns that make a full grid, nearly square, a little wider than high."""
    side = math.ceil(math.sqrt(count))
    return next((columns for columns in range(side, 2 * side) if count % columns == 0), side)


class _Ink:
    """Images and texts of a page whose height is known only at the end."""

    def __init__(self) -> None:
        self._images: list[tuple[np.ndarray, int, int]] = []
        self._texts: list[tuple[str, float, float, dict[str, Any]]] = []

    def put(self, pixels: np.ndarray, x: int, y: int) -> None:
        self._images.append((pixels, x, y))

    def write(self, text: str, x: float, y: float, **how: Any) -> None:
        """A line of text with its baseline at ``y``."""
        self._texts.append((text, x, y, how))

    def drawn(self, width: int, height: int) -> np.ndarray:
        ground = np.full((height, width, 3), 255, np.uint8)
        for pixels, x, y in self._images:
            ground[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        figure: Any = canvas.new_figure(width / canvas.DPI, height / canvas.DPI)
        figure.patch.set_visible(False)
        for text, left, base, how in self._texts:
            # Matplotlib counts from below, in pixels without a transform.
            figure.text(left, height - base, text, transform=None, va="baseline", **how)
        # Only the text is drawn by matplotlib: an image of this size would take as long as all the rest.
        figure.canvas.draw()
        letters = np.asarray(figure.canvas.buffer_rgba())
        inked = letters[..., 3] > 0
        opacity = letters[inked][:, 3:].astype("float32") / 255
        ground[inked] = np.rint(ground[inked] * (1 - opacity) + letters[inked][:, :3] * opacity).astype(np.uint8)
        return ground


def _block(ink: _Ink, block: Block, top: int) -> int:
    """Put the images of a block on the page; where they end."""
    cell = block.cell
    for start in range(0, len(block.panels), block.columns):
        row = block.panels[start : start + block.columns]
        height = max(panel.pixels.shape[0] for panel in row)
        lefts = range(_MARGIN, _MARGIN + len(row) * (cell + _GAP), cell + _GAP)
        top = _GAP + max(
            _panel(ink, panel, left, top, cell, height, centred=block.centred)
            for panel, left in zip(row, lefts, strict=True)
        )
    return top


def _panel(ink: _Ink, panel: Panel, left: int, top: int, cell: int, height: int, *, centred: bool) -> int:
    """Put an image and its text on the page; where the text ends."""
    tall, wide = panel.pixels.shape[:2]
    # On its caption.
    x, y = left + (cell - wide) // 2 * centred, top + height - tall
    thick = _MARK if panel.marked else 1
    frame = np.full((tall + 2 * thick, wide + 2 * thick, 3), _HAIRLINE, np.uint8)
    if panel.marked:
        frame[:] = [int(canvas.BLUE[start : start + 2], 16) for start in (1, 3, 5)]
    ink.put(frame, x - thick, y - thick)
    ink.put(panel.pixels, x, y)
    said = canvas.wrapped(panel.note, _POINTS, (wide - _GAP) / canvas.DPI, max(1, tall // _LINE - 1))
    for number, line in enumerate(said):
        base = y + (tall - len(said) * _LINE) / 2 + (number + 1) * _LINE - 5
        ink.write(line, x + wide / 2, base, ha="center", fontsize=_POINTS, color=canvas.INK)
    end = top + height + _AIR
    if panel.scale is not None:
        end = _scale(ink, panel.scale, left, end, wide)
    place: dict[str, Any] = {"x": left + cell / 2 * centred, "ha": "center" if centred else "left"}
    for line in canvas.wrapped(panel.title, _TITLE_POINTS, cell / canvas.DPI, _BROKEN, "bold"):
        end += _LINE
        colour = canvas.BLUE if panel.marked else canvas.INK
        ink.write(line, y=end - 3, fontsize=_TITLE_POINTS, weight="bold", color=colour, **place)
    for text in panel.lines:
        for line in canvas.wrapped(text, _POINTS, cell / canvas.DPI, _BROKEN):
            end += _LINE
            ink.write(line, y=end - 3, fontsize=_POINTS, color=panel.colour, **place)
    return end


def _scale(ink: _Ink, scale: Scale, left: int, top: int, width: int) -> int:
    """Put a bar of colours with its numbers on the page; where it ends."""
    places = np.linspace(0, len(scale.colours) - 1, width - 2).round().astype(int)
    bar = np.full((_SCALE, width, 3), _HAIRLINE, np.uint8)
    bar[1:-1, 1:-1] = scale.colours[places]
    ink.put(bar, left, top)
    base = top + _SCALE + _LINE - 2
    for text, x, side in (
        (scale.low, left, "left"),
        (scale.middle, left + width / 2, "center"),
        (scale.high, left + width, "right"),
    ):
        if text:
            ink.write(canvas.clean(text), x, base, ha=side, fontsize=_POINTS, color=canvas.QUIET)
    return base + 4


def _fitted(image: np.ndarray, side: int) -> np.ndarray:
    """An image at its size on a sheet: small ones enlarged by a whole factor, large ones reduced smoothly."""
    found = f"{image.dtype} of shape {image.shape}"
    if image.ndim == 2:
        image = image[..., None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
        raise UsageError(f"Expected images for a sheet as uint8 (height, width, 3). Received: {found}")
    height, width = image.shape[:2]
    longest = max(height, width)
    scale = side // longest if longest <= side else side / longest
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resample = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    pixels = np.ascontiguousarray(np.broadcast_to(image, (height, width, 3)))
    return np.array(Image.fromarray(pixels).resize(size, resample))
