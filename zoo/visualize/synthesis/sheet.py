"""Generated images on one page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.catalog.labels import display
from zoo.reports.plots.image_grid import Block, Panel, full_rows, page
from zoo.visualize.network.display import resize_to_side
from zoo.visualize.synthesis.maximize import Maximized

#: Images on a page; the others are counted.
LIMIT = 500
#: Maximum width of a page, and side of an image by the number of images.
_PAGE, _GAP = 1200, 16
_SIDES = ((1, 512), (6, 384), (20, 224), (LIMIT, 128))


def sheet(found: Sequence[Maximized], *, notes: Sequence[str] = ()) -> np.ndarray:
    """Draw images with their targets, of one model and kind, and activations, and notes at the end: uint8 RGB."""
    first = found[0]
    shown = found[:LIMIT]
    longest = next(side for count, side in _SIDES if len(shown) <= count)
    side = min(longest, max(first.pixels.shape[0], 128))
    columns = _columns(len(shown), (_PAGE + _GAP) // (side + _GAP), 1 + max(one.variant for one in found))
    panels = [
        Panel(
            resize_to_side(one.pixels, side), *_caption(one), note="no slope: nothing raises it" if one.silent else ""
        )
        for one in shown
    ]
    where = first.target.layer or "classes"
    more = [f"And {len(found) - LIMIT:,} more images."] if len(found) > LIMIT else []
    return page([Block(panels, columns, f"{first.model} · {where}")], notes=[*more, *notes])


def _caption(one: Maximized) -> tuple[str, list[str]]:
    """The target, and ``logit 33.2, noise 1.7``."""
    decimals = 2 if abs(one.activation) < 10 else 1 if abs(one.activation) < 100 else 0
    activations = f"{one.target.prefix}{one.activation:.{decimals}f}, noise {one.noise_activation:.{decimals}f}"
    return display(one.target.caption), [activations]


def _columns(count: int, most: int, variants: int) -> int:
    """At most ``most`` columns, so that the images of one target are in one row if they fit."""
    if not 1 < variants <= most:
        return full_rows(count, most)
    if count > variants and most < 2 * variants:
        return variants
    return variants * min(most // variants, count // variants)
