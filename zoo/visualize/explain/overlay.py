"""A map as an image: over its input image, or by itself."""

from __future__ import annotations

import numpy as np

from zoo.core.spec import GREY
from zoo.reports.plots.colour_maps import sequential
from zoo.visualize.explain.masking import resize_map
from zoo.visualize.network.display import top_of_scale

#: Opacity where a map is strongest, and the exponent by which it fades: below 1, so that weak evidence stays visible.
_OPACITY, _FADING = 0.75, 0.6
#: Where the colours over an image begin: darker ones would look like shadow.
DARKEST = 0.2


def strength(values: np.ndarray) -> np.ndarray:
    """A map (float, >= 0) scaled to 0-1: float32; 0 everywhere for a blank map."""
    top = top_of_scale(values)
    return np.clip(values / top, 0, 1).astype("float32") if top > 0 else np.zeros(values.shape, "float32")


def heat_map(values: np.ndarray) -> np.ndarray:
    """A map (height, width) by itself, black at 0: uint8 RGB (height, width, 3)."""
    return sequential(strength(values))


def coloured(values: np.ndarray) -> np.ndarray:
    """A map (height, width) as a layer over an image: uint8 RGBA (height, width, 4), the stronger, the more opaque."""
    level = strength(values)
    opacity = np.rint(255 * _OPACITY * level**_FADING).astype(np.uint8)
    return np.concatenate([sequential(DARKEST + (1 - DARKEST) * level), opacity[..., None]], axis=-1)


def overlay(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A map (rows, columns) over its image in grey, so that all colours are the map's: uint8 RGB (height, width, 3).

    ``pixels`` are uint8 (height, width, 3 or 1); the map is resized to them.
    """
    layer = coloured(resize_map(values, *pixels.shape[:2])).astype("float32")
    opacity = layer[..., 3:] / 255
    return np.rint(to_grey(pixels) * (1 - opacity) + layer[..., :3] * opacity).astype(np.uint8)


def to_grey(pixels: np.ndarray) -> np.ndarray:
    """An image without its colours: uint8 (height, width, 3)."""
    light = pixels @ np.array(GREY) if pixels.shape[-1] == 3 else pixels[..., 0]
    return np.repeat(np.rint(light).astype(np.uint8)[..., None], 3, axis=-1)
