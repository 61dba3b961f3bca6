"""A map as an image: over the image that it is of, or by itself."""

from __future__ import annotations

import numpy as np
from PIL import Image

from zoo.core.spec import GREY
from zoo.reports.plots.colour_maps import sequential
from zoo.visualize.explain.base import enlarged
from zoo.visualize.network.display import DOTS

#: The share of a map's places that may be above the scale: one pixel with a large gradient must not darken all others.
ABOVE_SCALE = 0.005
#: How opaque a map is where it is strongest, and how fast it fades: faster than in proportion would hide weak evidence.
_OPACITY, _FADING = 0.75, 0.6
#: Where the colours over an image begin: what is darker would look like shadow.
DARKEST = 0.2


def top_of_scale(values: np.ndarray) -> float:
    """The value that is drawn as strongest: all but :data:`ABOVE_SCALE` of the places are below it.

    Args:
        values: float of any shape, 0 or more.

    Returns:
        More than 0, unless there is nothing but 0.
    """
    top = float(np.quantile(values, 1 - ABOVE_SCALE))
    return top if top > 0 else float(values.max())


def strength(values: np.ndarray) -> np.ndarray:
    """A map on a scale of its own.

    Args:
        values: float, 0 or more.

    Returns:
        float32 of the same shape, 0-1; 0 everywhere for a blank map.
    """
    top = top_of_scale(values)
    return np.clip(values / top, 0, 1).astype("float32") if top > 0 else np.zeros(values.shape, "float32")


def heat_map(values: np.ndarray) -> np.ndarray:
    """A map by itself, black where it is 0.

    Args:
        values: float (height, width), 0 or more.

    Returns:
        uint8 RGB (height, width, 3).
    """
    return sequential(strength(values))


def coloured(values: np.ndarray) -> np.ndarray:
    """A map to lay over an image: the stronger, the brighter and the more opaque.

    Args:
        values: float (height, width), 0 or more.

    Returns:
        uint8 RGBA (height, width, 4).
    """
    level = strength(values)
    opacity = np.rint(255 * _OPACITY * level**_FADING).astype(np.uint8)
    return np.concatenate([sequential(DARKEST + (1 - DARKEST) * level), opacity[..., None]], axis=-1)


def overlay(pixels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A map over its image, which is grey, so that all colours are the map's.

    Args:
        pixels: uint8 RGB (height, width, 3), or grey (height, width, 1).
        values: float (rows, columns), 0 or more; enlarged to the image's size where it is smaller.

    Returns:
        uint8 RGB (height, width, 3).
    """
    layer = coloured(enlarged(values, *pixels.shape[:2])).astype("float32")
    opacity = layer[..., 3:] / 255
    return np.rint(grey(pixels) * (1 - opacity) + layer[..., :3] * opacity).astype(np.uint8)


def grey(pixels: np.ndarray) -> np.ndarray:
    """An image without its colours: uint8 (height, width, 3)."""
    light = pixels @ np.array(GREY) if pixels.shape[-1] == 3 else pixels[..., 0]
    return np.repeat(np.rint(light).astype(np.uint8)[..., None], 3, axis=-1)


def at_side(pixels: np.ndarray, side: int) -> np.ndarray:
    """An image whose longer side has so many pixels; dots stay dots where it has much fewer.

    Args:
        pixels: uint8 RGB (height, width, 3).
        side: pixels, more than 0.

    Returns:
        uint8 RGB.
    """
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= DOTS:
        pixels = pixels.repeat(-(-side // longest), axis=0).repeat(-(-side // longest), axis=1)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
