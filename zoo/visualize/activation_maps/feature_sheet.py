"""Feature maps as one PNG: the strongest channels of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from zoo.reports.plots.colour_maps import diverging, sequential
from zoo.reports.plots.image_grid import Block, Panel, Scale, page
from zoo.visualize.activation_maps.feature_maps import FeatureMaps
from zoo.visualize.network.display import resize_to_side, top_of_scale

#: Whether each channel has a colour scale of its own, or each layer.
Normalize = Literal["channel", "layer"]

#: Default number of channels: of a named layer, and of each layer in an overview.
LIMIT, OVERVIEW_LIMIT = 63, 9

_COLUMNS, _TILE, _IMAGE = 9, 112, 240
#: A layer counts as signed if its minimum is below -0.2 times its maximum; activations such as swish dip below 0.
_SIGNED = 0.2


def feature_sheet(
    name: str, image: np.ndarray, found: Sequence[FeatureMaps], *, normalize: Normalize = "channel", limit: int = LIMIT
) -> np.ndarray:
    """Draw feature maps of at least one layer, channels in descending order of mean magnitude: uint8 RGB.

    ``name`` and ``image``, uint8 RGB, are those of the input; ``limit`` is the number of channels of each layer.
    """
    blocks = [Block([Panel(resize_to_side(image, _IMAGE), name, [found[0].model])], 1)]
    blocks += [Block(_panels(maps, normalize, limit), _COLUMNS, _heading(maps)) for maps in found]
    signs = [_is_signed(maps.values) for maps in found]
    steps = np.linspace(0, 1, 256)
    scales = [] if all(signs) else [Scale(sequential(steps), "0", "largest")]
    scales += [Scale(diverging(2 * steps - 1), "−largest", "largest", "0")] if any(signs) else []
    notes = [
        f"Each {normalize} has a scale of its own, up to its largest value; the number is the channel's. "
        "The channels with the largest mean magnitude come first; silent ones are 0 everywhere in this image."
    ]
    return page(blocks, scales=scales, notes=notes)


def _panels(maps: FeatureMaps, normalize: Normalize, limit: int) -> list[Panel]:
    signed = _is_signed(maps.values)
    values = maps.values if signed else np.maximum(maps.values, 0)
    whole = top_of_scale(np.abs(values))
    panels = []
    for channel in maps.strongest[:limit]:
        one = values[..., channel]
        top = (whole if normalize == "layer" else top_of_scale(np.abs(one))) or 1.0
        drawn = diverging(one / top) if signed else sequential(one / top)
        panels.append(Panel(resize_to_side(drawn, _TILE), lines=[str(channel)]))
    return panels


def _is_signed(values: np.ndarray) -> bool:
    return float(-values.min()) > _SIGNED * float(values.max())


def _heading(maps: FeatureMaps) -> str:
    shape = "×".join(f"{size:,}" for size in maps.values.shape)
    return f"{maps.layer}  {shape}" + (f", {maps.silent:,} silent" if maps.silent else "")
