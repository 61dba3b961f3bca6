"""The kernels of a convolution as small images, side by side."""

from __future__ import annotations

import math
import os

import numpy as np

from zoo.core.errors import UsageError
from zoo.reports.plots.canvas import write_png

#: The side that each kernel's image comes close to, and the width that the whole may have, in pixels.
TILE, PAGE = 64, 1200
GAP = 3


def filters(kernels: np.ndarray, path: str | os.PathLike[str] | None = None) -> np.ndarray:
    """What :func:`filters_image` draws, written as a PNG file as well if a ``path`` is given.

    Raises:
        UsageError: the array is no convolution's.
        UnavailableError: the file cannot be written.
    """
    pixels = filters_image(kernels)
    if path is not None:
        write_png(pixels, path)
    return pixels


def filters_image(kernels: np.ndarray) -> np.ndarray:
    """Draw the kernels of a first layer; Krizhevsky et al., 2012, figure 3, made such images known.

    Each filter has a scale of its own: a weight of 0 is middle grey, the largest in magnitude is black or white.
    Filters over three channels are shown in colours and those over one in grey; over any other number of channels each
    channel is a grey image, with a line for each filter.

    Args:
        kernels: float (height, width, channels in, filters), as Keras's convolutions hold them.

    Returns:
        uint8 RGB (height, width, 3). Weights that are not finite count as 0.

    Raises:
        UsageError: the array is no convolution's.
    """
    kernels = np.asarray(kernels)
    if kernels.ndim != 4 or 0 in kernels.shape:
        raise UsageError(
            f"Weights of the shape {kernels.shape} are no filters; it takes (height, width, channels in, filters)."
        )
    weights = np.nan_to_num(kernels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    largest = np.abs(weights).max(axis=(0, 1, 2), keepdims=True)
    tiles = shades(weights / np.where(largest, largest, 1.0)).transpose(3, 0, 1, 2)
    count, height, width, channels = tiles.shape
    if channels in (1, 3):
        columns = near_square(count)
    else:
        tiles = tiles.transpose(0, 3, 1, 2).reshape(count * channels, height, width, 1)
        columns = channels
    return _grid(np.broadcast_to(tiles, (*tiles.shape[:3], 3)), columns)


def shades(weights: np.ndarray) -> np.ndarray:
    """Weights from -1 to 1 as light: black, middle grey for 0, white; uint8 of the same shape."""
    return np.round(255 * (0.5 + 0.5 * weights)).astype(np.uint8)


def near_square(count: int) -> int:
    """The number across that makes a grid full and nearly square, a little wider than high."""
    side = math.ceil(math.sqrt(count))
    return next((columns for columns in range(side, 2 * side) if count % columns == 0), side)


def _grid(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Tiles (n, height, width, 3), enlarged by a whole factor, on white."""
    count, height, width, _ = tiles.shape
    factor = max(1, min(TILE // max(height, width), (PAGE // columns - GAP) // width))
    tiles = tiles.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor + GAP, width * factor + GAP
    rows = math.ceil(count / columns)
    page = np.full((rows * height + GAP, columns * width + GAP, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height + GAP, index % columns * width + GAP
        page[top : top + height - GAP, left : left + width - GAP] = tile
    return page
