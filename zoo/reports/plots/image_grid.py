"""Images with several lines of text each, in blocks on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.reports.plots.canvas import (
    BLUE,
    DPI,
    INK,
    POINTS,
    QUIET,
    clean,
    new_figure,
    shortened,
    style,
    text_width,
    wrapped,
)

_MARGIN, _GAP = 30, 16
_TITLE_POINTS, _POINTS, _LINE = 8.0, 7.0, 17
_HEADING_POINTS, _HEADING = 11.0, 36
#: Lines that a title, and one line of text, may be broken into.
_BROKEN = 2
#: Between an image and what is below it, and the height and width of a scale, and what is between two.
_AIR, _SCALE, _SCALE_WIDTH, _BETWEEN = 7, 10, 200, 40
#: A page has room for a line of text at least.
_NARROWEST = 360
_HAIRLINE = 204
#: How thick the frame of a marked image is.
_MARK = 4


@dataclass(frozen=True, eq=False)
class Scale:
    """What the colours of an image stand for."""

    #: uint8 (n, 3), from left to right.
    colours: np.ndarray
    #: What stands below its ends, and below its middle.
    low: str
    high: str
    middle: str = ""


@dataclass(frozen=True, eq=False)
class Panel:
    """An image and what is to be said of it."""

    #: uint8 RGB (height, width, 3), shown dot for dot.
    pixels: np.ndarray
    title: str = ""
    lines: Sequence[str] = ()
    scale: Scale | None = None
    #: Whether it is the one to look at first.
    marked: bool = False
    #: Stands on the image, in its middle.
    note: str = ""


@dataclass(frozen=True, eq=False)
class Block:
    """Images that belong together, in lines of ``columns``."""

    panels: Sequence[Panel]
    columns: int
    heading: str = ""


def page(blocks: Sequence[Block], *, scales: Sequence[Scale] = (), notes: Sequence[str] = ()) -> np.ndarray:
    """Draw blocks one below the other.

    Args:
        blocks: at least one, each with at least one image.
        scales: of all images; stand at the end, side by side.
        notes: lines that stand at the end.

    Returns:
        uint8 RGB (height, width, 3).
    """
    with style():
        bars = len(scales) * (_SCALE_WIDTH + _BETWEEN) - _BETWEEN
        across = max(_NARROWEST, bars, *map(_across, blocks))
        ink = _Ink()
        top = _MARGIN
        for number, block in enumerate(blocks):
            top = _block(ink, block, across, top + (_GAP if number else 0))
        if scales:
            lefts = (_MARGIN + number * (_SCALE_WIDTH + _BETWEEN) for number in range(len(scales)))
            ends = [
                _scale(ink, scale, left, top + _GAP // 2, _SCALE_WIDTH)
                for scale, left in zip(scales, lefts, strict=True)
            ]
            top = max(ends) + _GAP // 2
        for note in notes:
            for line in wrapped(clean(note), _POINTS, across / DPI, 3):
                top += _LINE
                ink.write(line, _MARGIN, top - 4, fontsize=_POINTS, color=QUIET)
        return ink.drawn(2 * _MARGIN + across, top + _MARGIN - _GAP // 2)


class _Ink:
    """What is put on a page whose height shows only when all is there."""

    def __init__(self) -> None:
        self._images: list[tuple[np.ndarray, int, int]] = []
        self._texts: list[tuple[str, float, float, dict[str, Any]]] = []

    def put(self, pixels: np.ndarray, x: int, y: int) -> None:
        self._images.append((pixels, x, y))

    def write(self, text: str, x: float, y: float, **how: Any) -> None:
        """A line whose letters stand on ``y``."""
        self._texts.append((text, x, y, how))

    def drawn(self, width: int, height: int) -> np.ndarray:
        ground = np.full((height, width, 3), 255, np.uint8)
        for pixels, x, y in self._images:
            ground[y : y + pixels.shape[0], x : x + pixels.shape[1]] = pixels
        figure: Any = new_figure(width / DPI, height / DPI)
        figure.patch.set_visible(False)
        for text, left, base, how in self._texts:
            # Matplotlib counts from below, in pixels where it is told of no other system.
            figure.text(left, height - base, text, transform=None, va="baseline", **how)
        # Matplotlib takes as long to draw an image of this size as everything else takes together.
        figure.canvas.draw()
        letters = np.asarray(figure.canvas.buffer_rgba())
        inked = letters[..., 3] > 0
        opacity = letters[inked][:, 3:].astype("float32") / 255
        ground[inked] = np.rint(ground[inked] * (1 - opacity) + letters[inked][:, :3] * opacity).astype(np.uint8)
        return ground


def _cell(block: Block) -> int:
    """How wide each image's place is."""
    return max(int(panel.pixels.shape[1]) for panel in block.panels)


def _across(block: Block) -> int:
    columns = min(block.columns, len(block.panels))
    return columns * _cell(block) + (columns - 1) * _GAP


def _block(ink: _Ink, block: Block, across: int, top: int) -> int:
    """Put a block on the page; where it ends."""
    cell = _cell(block)
    if block.heading:
        heading = shortened(clean(block.heading), _HEADING_POINTS, across / DPI, "bold")
        base = top + _HEADING_POINTS * DPI / POINTS
        ink.write(heading, _MARGIN, base, fontsize=_HEADING_POINTS, weight="bold", color=INK)
        top += _HEADING
    for start in range(0, len(block.panels), block.columns):
        line = block.panels[start : start + block.columns]
        height = max(panel.pixels.shape[0] for panel in line)
        ends = [_panel(ink, panel, _MARGIN + n * (cell + _GAP), top, cell, height) for n, panel in enumerate(line)]
        top = max(ends) + _GAP
    return top


def _panel(ink: _Ink, panel: Panel, left: int, top: int, cell: int, height: int) -> int:
    """Put an image and its text on the page; where the text ends."""
    tall, wide = panel.pixels.shape[:2]
    # It stands on its text, to the left.
    y = top + height - tall
    thick = _MARK if panel.marked else 1
    frame = np.full((tall + 2 * thick, wide + 2 * thick, 3), _HAIRLINE, np.uint8)
    if panel.marked:
        frame[:] = [int(BLUE[start : start + 2], 16) for start in (1, 3, 5)]
    ink.put(frame, left - thick, y - thick)
    ink.put(panel.pixels, left, y)
    said = wrapped(clean(panel.note), _POINTS, (wide - _GAP) / DPI, max(1, tall // _LINE - 1))
    for number, line in enumerate(said):
        base = y + (tall - len(said) * _LINE) / 2 + (number + 1) * _LINE - 5
        ink.write(line, left + wide / 2, base, ha="center", fontsize=_POINTS, color=INK)
    end = top + height + _AIR
    if panel.scale is not None:
        end = _scale(ink, panel.scale, left, end, wide)
    for line in _title(panel.title, cell):
        end += _LINE
        colour = BLUE if panel.marked else INK
        ink.write(line, left, end - 3, fontsize=_TITLE_POINTS, weight="bold", color=colour)
    for text in panel.lines:
        for line in wrapped(clean(text), _POINTS, cell / DPI, _BROKEN):
            end += _LINE
            ink.write(line, left, end - 3, fontsize=_POINTS, color=INK)
    return end


def _title(text: str, cell: int) -> list[str]:
    """A title, which is bold, in lines as wide as a cell."""
    # Bold letters are wider than those that lines are broken by.
    plain, bold = (text_width(clean(text), _TITLE_POINTS, weight) for weight in ("normal", "bold"))
    return wrapped(clean(text), _TITLE_POINTS, cell / DPI * (plain / bold if bold else 1), _BROKEN)


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
            ink.write(clean(text), x, base, ha=side, fontsize=_POINTS, color=QUIET)
    return base + 4
