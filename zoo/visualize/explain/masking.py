"""Masked and blurred images, and maps resized to images."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from zoo.visualize.network.inspected_model import InspectedModel

#: Standard deviation of the Gaussian blur, as a share of the longer side.
BLUR = 1 / 20


def masked(net: InspectedModel, image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """A float32 image (height, width, channels) through masks (n, height, width), from 0 (hidden) to 1 (visible).

    What is hidden is replaced by the image's mean colour. The result is uint8 for a model with a spec, which may run
    compiled, else float32.
    """
    mean = image.mean(axis=(0, 1))
    shown = mean + masks[..., None].astype("float32") * (image - mean)
    images: np.ndarray = np.rint(shown).astype("uint8") if net.spec is not None else shown
    return images


def blurred(image: np.ndarray) -> np.ndarray:
    """Gaussian blur by :data:`BLUR` of an image (height, width, channels): float32."""
    height, width, _ = image.shape
    deviation = max(height, width) * BLUR
    across = np.tensordot(_gaussian(width, deviation), image.astype("float32"), (1, 1))
    return np.tensordot(_gaussian(height, deviation), across, (1, 1))


def resize_map(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a map, float32 (rows, columns), by bilinear interpolation to (height, width)."""
    if values.shape == (height, width):
        return values
    image: Any = Image.fromarray(np.ascontiguousarray(values, "float32"), "F")
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


@lru_cache(maxsize=4)
def _gaussian(size: int, deviation: float) -> np.ndarray:
    """The matrix of a Gaussian blur along one side, normalised at the edges."""
    places = np.arange(size)
    matrix: np.ndarray = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2).astype("float32")
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix
