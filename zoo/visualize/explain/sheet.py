"""Explanations as one PNG: the image, then each map over it, with captions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from zoo.catalog.labels import display
from zoo.reports.html.image_cards import file_name
from zoo.reports.plots.canvas import note
from zoo.reports.plots.colour_maps import sequential
from zoo.reports.plots.image_grid import Block, Panel, Scale, page
from zoo.visualize.explain import overlay as drawing
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.masking import resize_map
from zoo.visualize.explain.methods import METHODS
from zoo.visualize.network.display import resize_to_side, top_of_scale

#: Rows of images on a contact sheet; the other images are counted.
LIMIT = 100

#: The longer side of an image, in pixels, by the number of columns; four fill the width of a page.
_SIDES = {1: 448, 2: 448, 3: 384, 4: 288}
_COLUMNS, _CONTACT_COLUMNS, _CONTACT_SIDE = 4, 6, 216
#: Pixels that both scores of a map need on one line.
_WIDE = 270
#: Predictions below the image.
_PREDICTIONS = 3
_ON_GREY = "Colours: evidence for the class, from weak to strong, each map on a scale of its own."
_BEST = (
    "Deletion: the area under the class's probability as the most important pixels are deleted first; lower is "
    "better. Insertion: the same as they are inserted; higher is better. Blue frame: largest insertion minus deletion."
)
#: The colours of maps over images.
OVERLAY_SCALE = Scale(sequential(np.linspace(drawing.DARKEST, 1, 256)), "weak", "strong")


def figure(record: Explained, image: np.ndarray, *, heat_maps: bool = False) -> np.ndarray:
    """Draw all explanations of an image: uint8 RGB.

    Args:
        record: of a readable image, with at least one explanation.
        image: uint8 RGB (height, width, 3) for display, see :func:`~zoo.visualize.network.display.load_for_display`.
        heat_maps: draw maps by themselves, with their scales, instead of over the image.
    """
    groups = by_class(record)
    several = len(groups[0]) > 1
    columns = min(1 + (len(groups[0]) if several else len(groups)), _COLUMNS)
    side = _SIDES[columns]
    first = _image_panel(record, image, side)
    if several:
        blocks = [
            Block([first, *_panels(group, image, side, heat_maps)], columns, _class_text(group[0])) for group in groups
        ]
    else:
        blocks = [Block([first, *(one for group in groups for one in _panels(group, image, side, heat_maps))], columns)]
    return _page(blocks, heat_maps)


class ContactSheet:
    """One page of many images; it keeps only what it shows."""

    def __init__(self, *, heat_maps: bool = False) -> None:
        """Begin an empty page; ``heat_maps`` as for :func:`figure`."""
        self._heat_maps = heat_maps
        self._blocks: list[Block] = []
        self._rows = self._more = 0

    def add(self, record: Explained, image: np.ndarray) -> None:
        """Add an image in rows of its own; arguments as for :func:`figure`."""
        rows = math.ceil((1 + len(record.explanations)) / _CONTACT_COLUMNS)
        if self._more or self._rows + rows > LIMIT:
            self._more += 1
            return
        self._rows += rows
        panels = [_image_panel(record, image, _CONTACT_SIDE)]
        for group in by_class(record):
            panels += _panels(group, image, _CONTACT_SIDE, self._heat_maps)
        self._blocks.append(Block(panels, _CONTACT_COLUMNS))

    def image(self) -> np.ndarray:
        """The page: uint8 RGB."""
        if not self._blocks:
            return note("No images.")
        return _page(self._blocks, self._heat_maps, [f"And {self._more:,} more images."] if self._more else [])


def by_class(record: Explained) -> list[list[Explanation]]:
    """The explanations of each class."""
    return [list(group) for _, group in itertools.groupby(record.explanations, key=lambda one: one.index)]


def best(group: Sequence[Explanation]) -> Explanation | None:
    """Of several explanations of a class, that with the largest insertion minus deletion; ``None`` if not measured."""
    scored = [(one.faithfulness, one) for one in group if one.faithfulness is not None]
    if len(group) < 2 or not scored:
        return None
    return max(scored, key=lambda pair: pair[0].insertion - pair[0].deletion)[1]


def _page(blocks: Sequence[Block], heat_maps: bool, more: Sequence[str] = ()) -> np.ndarray:
    marks = any(panel.marked for block in blocks for panel in block.panels)
    notes = [*([] if heat_maps else [_ON_GREY]), *([_BEST] if marks else []), *more]
    return page(blocks, scales=[] if heat_maps else [OVERLAY_SCALE], notes=notes)


def _image_panel(record: Explained, image: np.ndarray, side: int) -> Panel:
    predictions = [f"{_percent(one.score)}  {display(one.label)}" for one in record.predictions[:_PREDICTIONS]]
    title = f"{record.explanations[0].model} predicts"
    return Panel(resize_to_side(image, side), file_name(record.path), [title, *predictions])


def _panels(group: Sequence[Explanation], image: np.ndarray, side: int, heat_maps: bool) -> Iterator[Panel]:
    """The maps of one class."""
    marked = best(group)
    ground = resize_to_side(image, side)
    for one in group:
        title, *lines = _caption(one, several=len(group) > 1, narrow=ground.shape[1] < _WIDE)
        if one.blank is not None:
            pale = (255 - (255 - drawing.to_grey(ground).astype("uint16")) // 3).astype(np.uint8)
            yield Panel(pale, title, lines, note=f"blank: {one.blank}")
        elif heat_maps:
            drawn = drawing.heat_map(resize_map(one.map, *ground.shape[:2]))
            yield Panel(drawn, title, lines, scale=_scale(one), marked=one is marked)
        else:
            yield Panel(drawing.overlay(ground, one.map), title, lines, marked=one is marked)


def _caption(one: Explanation, *, several: bool, narrow: bool) -> Iterator[str]:
    """The lines below a map, beginning with what distinguishes it from those beside it."""
    method = METHODS[one.method].load().title
    if several:
        yield from (method, _class_text(one))
        if one.layer:
            yield f"at {one.layer}"
    else:
        yield from (_class_text(one), f"{method} at {one.layer}" if one.layer else method)
    if one.faithfulness is not None:
        scores = f"deletion {one.faithfulness.deletion:.3f}", f"insertion {one.faithfulness.insertion:.3f}"
        yield from scores if narrow else [" · ".join(scores)]


def _scale(one: Explanation) -> Scale:
    """The colour scale of a map by itself; a few values may exceed it."""
    top = top_of_scale(one.map)
    above = "≥ " if one.map.max() > top else ""
    return Scale(sequential(np.linspace(0, 1, 256)), "0", f"{above}{top:.3g}")


def _class_text(one: Explanation) -> str:
    return f"{display(one.label)}  {_percent(one.score)}"


def _percent(score: float) -> str:
    """``93.1 %``, and ``< 0.1 %`` for what would be rounded to 0."""
    return "< 0.1 %" if 0 < score < 0.0005 else f"{100 * score:.1f} %"
