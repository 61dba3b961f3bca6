"""Input images for people: the region that the model is given, at a higher resolution than it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage

from zoo.core.errors import ImageError
from zoo.images import decode as images
from zoo.images.source import Source

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel

#: Minimum longer side of a displayed image, if its file has so many pixels.
SIDE = 448
#: Up to this longer side, images are enlarged without interpolation, so that single pixels stay visible.
TINY = 64
#: Share of values that may exceed the colour scale, so that one outlier does not darken everything else.
ABOVE_SCALE = 0.005


@dataclass(frozen=True, eq=False)
class Image:
    """An input image for display."""

    #: uint8 RGB (height, width, 3): the model's input size, or a multiple of it.
    pixels: np.ndarray
    #: Width and height of the original; ``None`` if it cannot be read again.
    size: tuple[int, int] | None
    #: Width and height of the model's input.
    input_size: tuple[int, int]

    @property
    def enlarged(self) -> bool:
        """Whether the original is smaller than the model's input."""
        return self.size is not None and (self.size[0] < self.input_size[0] or self.size[1] < self.input_size[1])


def rereadable(source: Source) -> Source:
    """A source that can be read twice: an image from a URL is downloaded and kept in memory."""
    if source.kind != "url" or source.problem is not None:
        return source
    try:
        return Source.from_array(np.array(images.decode(source)), name=source.path)
    except ImageError as error:
        return replace(source, problem=str(error))


def load_for_display(net: InspectedModel, source: Source, pixels: np.ndarray) -> Image:
    """Read an image again, at a size for people.

    The model's input, uint8 (height, width, 1 or 3), is shown as it is if it is tiny, or if the source cannot be read
    again, as a pipe.
    """
    height, width = pixels.shape[:2]
    try:
        original = images.decode(source)
    except ImageError:
        return Image(_rgb(pixels), None, (width, height))
    factor = math.ceil(SIDE / max(height, width))
    if net.spec is None or max(height, width) <= TINY or factor == 1:
        return Image(_rgb(pixels), original.size, (width, height))
    larger = replace(net.spec.resize, height=factor * height, width=factor * width)
    return Image(images.fit(original, larger), original.size, (width, height))


def resize_to_side(pixels: np.ndarray, side: int) -> np.ndarray:
    """Resize uint8 RGB (height, width, 3) to a longer side of ``side`` pixels; a tiny image stays blocky."""
    height, width = pixels.shape[:2]
    longest = max(height, width)
    if longest <= TINY:
        pixels = pixels.repeat(-(-side // longest), axis=0).repeat(-(-side // longest), axis=1)
    size = max(1, round(width * side / longest)), max(1, round(height * side / longest))
    return np.array(PillowImage.fromarray(pixels).resize(size, PillowImage.Resampling.LANCZOS))


def top_of_scale(values: np.ndarray) -> float:
    """The value drawn in the strongest colour: the quantile that :data:`ABOVE_SCALE` of the values (>= 0) exceed."""
    top = float(np.quantile(values, 1 - ABOVE_SCALE))
    return top if top > 0 else float(values.max())


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """The model's input as an RGB image; values other than uint8 are stretched to 0-255."""
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = np.rint(255 * (pixels - low) / ((high - low) or 1)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)))
