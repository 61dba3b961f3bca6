"""Explanations on a page: the image first, then each map over it, with what there is to say of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from zoo.reports.plots.canvas import note
from zoo.reports.plots.colour_maps import sequential
from zoo.reports.plots.panels import Block, Panel, Scale, page
from zoo.visualize.explain import methods
from zoo.visualize.explain import overlay as drawing
from zoo.visualize.explain.base import Explanation, enlarged
from zoo.visualize.explain.explain import Explained

#: Lines of images on a contact sheet; what would need more is counted.
LIMIT = 100

#: The longer side of an image, in pixels, by how many stand side by side; four fill the width of a sheet of paper.
_SIDES = {1: 448, 2: 448, 3: 384, 4: 288}
_COLUMNS, _CONTACT_COLUMNS, _CONTACT_SIDE = 4, 6, 216
#: Pixels that both scores of a map take side by side.
_WIDE = 270
#: How many of the network's answers stand below the image.
_ANSWERS = 3
_ON_GREY = "Colours: evidence for the class, from weak to strong, each map on a scale of its own."
_BEST = (
    "Deletion: the area under the class's probability as the most important pixels are taken out first; less is "
    "better. Insertion: the same as they come in; more is better. Blue frame: insertion minus deletion is largest."
)


def figure(record: Explained, image: np.ndarray, *, heat_maps: bool = False) -> np.ndarray:
    """Draw all explanations of an image; the maps of each class side by side.

    Args:
        record: what was found in an image that could be read, with one explanation at least.
        image: uint8 RGB (height, width, 3) of what the network sees, of its shape or larger.
        heat_maps: draw maps by themselves, with their scales, instead of over the image.

    Returns:
        uint8 RGB.
    """
    groups = _by_class(record)
    several = len(groups[0]) > 1
    count = 1 + (len(groups[0]) if several else len(groups))
    columns = min(count, _COLUMNS)
    side = _SIDES[columns]
    first = _image_panel(record, image, side)
    if several:
        blocks = [
            Block([first, *_panels(group, image, side, heat_maps)], columns, _named(group[0])) for group in groups
        ]
    else:
        maps = [panel for group in groups for panel in _panels(group, image, side, heat_maps)]
        blocks = [Block([first, *maps], columns)]
    marks = any(panel.marked for block in blocks for panel in block.panels)
    return page(blocks, scales=[] if heat_maps else [OVERLAY_SCALE], notes=_notes(heat_maps, marks))


class ContactSheet:
    """One page on many images, of which it keeps no more than it shows."""

    def __init__(self, *, heat_maps: bool = False) -> None:
        """Begin an empty page.

        Args:
            heat_maps: draw maps by themselves.
        """
        self._heat_maps = heat_maps
        self._blocks: list[Block] = []
        self._lines = self._more = 0

    def add(self, record: Explained, image: np.ndarray) -> None:
        """Show an image in lines of its own; arguments as for :func:`figure`."""
        lines = math.ceil((1 + len(record.explanations)) / _CONTACT_COLUMNS)
        if self._more or self._lines + lines > LIMIT:
            self._more += 1
            return
        self._lines += lines
        panels = [_image_panel(record, image, _CONTACT_SIDE)]
        for group in _by_class(record):
            panels += _panels(group, image, _CONTACT_SIDE, self._heat_maps)
        self._blocks.append(Block(panels, _CONTACT_COLUMNS))

    def image(self) -> np.ndarray:
        """The page: uint8 RGB."""
        if not self._blocks:
            return note("No images.")
        marks = any(panel.marked for block in self._blocks for panel in block.panels)
        notes = [*_notes(self._heat_maps, marks), *([f"And {self._more:,} more images."] if self._more else [])]
        return page(self._blocks, scales=[] if self._heat_maps else [OVERLAY_SCALE], notes=notes)


#: The colours of maps over images.
OVERLAY_SCALE = Scale(sequential(np.linspace(drawing.DARKEST, 1, 256)), "weak", "strong")


def best(group: Sequence[Explanation]) -> Explanation | None:
    """Of several explanations of a class, the one whose insertion exceeds its deletion by most.

    Returns:
        ``None`` where there is no choice, or nothing was measured.
    """
    scored = [one for one in group if one.faithfulness is not None]
    if len(group) < 2 or not scored:
        return None
    return max(scored, key=_merit)


def _merit(one: Explanation) -> float:
    assert one.faithfulness is not None
    return one.faithfulness.insertion - one.faithfulness.deletion


def _by_class(record: Explained) -> list[list[Explanation]]:
    return [list(group) for _, group in itertools.groupby(record.explanations, key=lambda one: one.index)]


def _image_panel(record: Explained, image: np.ndarray, side: int) -> Panel:
    model = record.explanations[0].model
    answers = [f"{score_text(answer.score)}  {spoken(answer.label)}" for answer in record.predictions[:_ANSWERS]]
    return Panel(drawing.at_side(image, side), file_name(record.path), [f"{model} says", *answers])


def _panels(group: Sequence[Explanation], image: np.ndarray, side: int, heat_maps: bool) -> Iterator[Panel]:
    """The maps of one class by one or more methods."""
    chosen = best(group)
    ground = drawing.at_side(image, side)
    for one in group:
        title, *lines = _said(one, several=len(group) > 1, narrow=ground.shape[1] < _WIDE)
        if one.blank is not None:
            pale = (255 - (255 - drawing.grey(ground).astype("uint16")) // 3).astype(np.uint8)
            yield Panel(pale, title, lines, note=f"blank: {one.blank}")
        elif heat_maps:
            drawn = drawing.heat_map(enlarged(one.map, *ground.shape[:2]))
            yield Panel(drawn, title, lines, scale=_scale(one), marked=one is chosen)
        else:
            yield Panel(drawing.overlay(ground, one.map), title, lines, marked=one is chosen)


def _said(one: Explanation, *, several: bool, narrow: bool) -> Iterator[str]:
    """What stands below a map: first what tells it from those beside it."""
    method = methods.METHODS[one.method].title
    if several:
        yield from (method, _named(one))
        if one.layer:
            yield f"at {one.layer}"
    else:
        yield from (_named(one), f"{method} at {one.layer}" if one.layer else method)
    if one.faithfulness is not None:
        scores = f"deletion {one.faithfulness.deletion:.3f}", f"insertion {one.faithfulness.insertion:.3f}"
        yield from scores if narrow else [" · ".join(scores)]


def _scale(one: Explanation) -> Scale:
    """The colours of a map by itself; its largest values may be above them."""
    top = drawing.top_of_scale(one.map)
    above = "≥ " if one.map.max() > top else ""
    return Scale(sequential(np.linspace(0, 1, 256)), "0", f"{above}{top:.3g}")


def _notes(heat_maps: bool, marks: bool) -> list[str]:
    return [*([] if heat_maps else [_ON_GREY]), *([_BEST] if marks else [])]


def _named(one: Explanation) -> str:
    return f"{spoken(one.label)}  {score_text(one.score)}"


def spoken(label: str) -> str:
    """The name of a class as people write it."""
    return label.replace("_", " ")


def score_text(score: float) -> str:
    """A probability for people: ``93.1 %``."""
    if 0 < score < 0.0005:
        return "< 0.1 %"
    return f"{100 * score:.1f} %"


def file_name(path: str) -> str:
    """The last part of a path or an address."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path
