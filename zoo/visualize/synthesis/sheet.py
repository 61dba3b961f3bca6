"""The images that were made, on a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoo.reports.plots.panels import Block, Panel, page
from zoo.visualize.explain.overlay import at_side
from zoo.visualize.explain.sheet import spoken
from zoo.visualize.synthesis.maximize import Maximised

#: More images than these are counted, not shown.
LIMIT = 500
#: How wide a page is at most, and the longest side of an image on it, by how many there are.
_PAGE, _GAP = 1200, 16
_SIDES = ((1, 512), (6, 384), (20, 224), (LIMIT, 128))
#: What stands on an image that did not grow.
_SILENT = "no slope: nothing raises it"


def sheet(found: Sequence[Maximised], *, notes: Sequence[str] = ()) -> np.ndarray:
    """Draw a page of images, each with its target and how active that is.

    Args:
        found: at least one image; all of one network and one kind of target.
        notes: lines that stand at the end.

    Returns:
        uint8 RGB.
    """
    first = found[0]
    shown = found[:LIMIT]
    longest = next(side for count, side in _SIDES if len(shown) <= count)
    side = min(longest, max(first.pixels.shape[0], 128))
    columns = _columns(len(shown), (_PAGE + _GAP) // (side + _GAP), 1 + max(one.variant for one in found))
    panels = [
        Panel(at_side(one.pixels, side), _title(one), [_activity(one)], note=_SILENT if one.silent else "")
        for one in shown
    ]
    where = "classes" if first.target.layer is None else first.target.layer
    more = [f"And {len(found) - LIMIT:,} more images."] if len(found) > LIMIT else []
    return page([Block(panels, columns, f"{first.model} · {where}")], notes=[*more, *notes])


def _title(one: Maximised) -> str:
    return spoken(str(one.target)) if one.target.kind == "class" else str(one.target)


def _activity(one: Maximised) -> str:
    """``logit 33.2, noise 1.7``; filters and neurons have activations, which is the longer word."""
    number = "logit " if one.target.kind == "class" else ""
    decimals = 2 if abs(one.activation) < 10 else 1 if abs(one.activation) < 100 else 0
    return f"{number}{one.activation:.{decimals}f}, noise {one.noise_activation:.{decimals}f}"


def _columns(count: int, most: int, variants: int) -> int:
    """As many as a page has room for, or a few less where that leaves no gap in the last line.

    The images of one target stand in one line where they go into it.
    """
    if 1 < variants <= most:
        return (
            variants
            if count > variants and most < 2 * variants
            else variants * min(most // variants, count // variants)
        )
    if count <= most:
        return count
    return min(range(most, max(most - 3, 1), -1), key=lambda columns: math.ceil(count / columns) * columns - count)
