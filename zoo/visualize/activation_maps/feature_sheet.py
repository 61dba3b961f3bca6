"""Feature maps on a page: the strongest channels of a layer, or of many layers line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from zoo.reports.plots.colour_maps import diverging, sequential
from zoo.reports.plots.panels import Block, Panel, Scale, page
from zoo.visualize.activation_maps.feature_maps import FeatureMaps
from zoo.visualize.explain import overlay

#: ``channel``: the largest value of each channel has the strongest colour; ``layer``: that of all channels has.
Normalize = Literal["channel", "layer"]

#: Channels that are shown of a layer where nothing else is said: of one or several, and in an overview of many.
LIMIT, OVERVIEW_LIMIT = 63, 9

_COLUMNS, _TILE, _IMAGE = 9, 112, 240
#: A layer has two signs where its values below 0 reach so far, compared with those above; some activation functions
#: dip below 0 a little.
_SIGNED = 0.2


def feature_sheet(
    name: str,
    image: np.ndarray,
    found: Sequence[FeatureMaps],
    *,
    normalize: Normalize = "channel",
    limit: int = LIMIT,
) -> np.ndarray:
    """Draw what layers make of an image, the channels with the largest mean magnitude first.

    Args:
        name: of the image.
        image: uint8 RGB (height, width, 3).
        found: at least one layer.
        normalize: whether each channel has a scale of its own, or each layer has one.
        limit: channels to show of a layer.

    Returns:
        uint8 RGB (height, width, 3).
    """
    blocks = [Block([Panel(overlay.at_side(image, _IMAGE), name, [found[0].model])], 1)]
    for maps in found:
        blocks.append(Block(_panels(maps, normalize, limit), _COLUMNS, _described(maps)))
    signs = [_is_signed(maps.values) for maps in found]
    notes = [
        f"Each {normalize} has a scale of its own, up to its largest value; the number is the channel's. "
        "The channels with the largest mean magnitude come first; silent ones are 0 everywhere in this image."
    ]
    return page(blocks, scales=_scales(signs), notes=notes)


def _panels(maps: FeatureMaps, normalize: Normalize, limit: int) -> list[Panel]:
    signed = _is_signed(maps.values)
    values = maps.values if signed else np.maximum(maps.values, 0)
    whole = overlay.top_of_scale(np.abs(values))
    panels = []
    for channel in maps.strongest[:limit]:
        one = values[..., channel]
        top = (whole if normalize == "layer" else overlay.top_of_scale(np.abs(one))) or 1.0
        drawn = diverging(one / top) if signed else sequential(one / top)
        panels.append(Panel(overlay.at_side(drawn, _TILE), lines=[str(channel)]))
    return panels


def _is_signed(values: np.ndarray) -> bool:
    return float(-values.min()) > _SIGNED * float(values.max())


def _described(maps: FeatureMaps) -> str:
    """A layer's name, what it gives, and how much of that is nothing."""
    shape = "×".join(f"{size:,}" for size in maps.values.shape)
    return f"{maps.layer}  {shape}" + (f", {maps.silent:,} silent" if maps.silent else "")


def _scales(signs: Sequence[bool]) -> list[Scale]:
    """The colours of values, with and without a sign, as far as they are on the page."""
    steps = np.linspace(0, 1, 256)
    scales = [] if all(signs) else [Scale(sequential(steps), "0", "largest")]
    return [*scales, *([Scale(diverging(2 * steps - 1), "−largest", "largest", "0")] if any(signs) else [])]
