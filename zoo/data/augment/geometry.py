"""Geometric augmentation: all transforms are one affine map from the result to the image, resampled once."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from zoo.data.augment.config import Augment

#: Which images are mirrored left and right, and top and bottom.
Flips = tuple[np.ndarray | None, np.ndarray | None]
#: Random crops that are tried before a central one is taken.
ATTEMPTS = 10


def apply(batch: np.ndarray, augment: Augment, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Flip, crop, shift, zoom, shear and rotate uint8 (b, H, W[, 3]) at random, resized to ``size``."""
    count, height, width = batch.shape[:3]
    horizontal, vertical = (
        np.asarray(rng.random(count) < 0.5) if augment.flip in (name, "both") else None
        for name in ("horizontal", "vertical")
    )
    flips = horizontal, vertical
    active = np.asarray(rng.random(count) < augment.probability)
    shifts = _shifts(augment.shift, count, size, rng) * active[:, None]
    is_resampled = augment.rotate or augment.shear or augment.crop or {augment.zoom, augment.aspect} != {(1.0, 1.0)}
    if not is_resampled and size == (height, width):
        return _shifted(batch, shifts, flips, augment) if augment.shift or augment.flip != "none" else batch
    maps = _maps(augment, _windows(augment, count, (height, width), size, rng), size, shifts, active, rng)
    return _resampled(batch, maps, flips, augment, size)


def _shifts(shift: float, count: int, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Whole pixels to the right and down, int64 (count, 2)."""
    if not shift:
        return np.zeros((count, 2), np.int64)
    height, width = size
    most = np.array([shift, shift] if shift >= 1 else [shift * width, shift * height])
    return rng.integers(-np.rint(most), np.rint(most), (count, 2), endpoint=True).astype(np.int64)


def _shifted(batch: np.ndarray, shifts: np.ndarray, flips: Flips, augment: Augment) -> np.ndarray:
    """Flips and shifts by whole pixels, without resampling."""
    height, width = batch.shape[1:3]
    margin = int(np.abs(shifts).max(initial=0))
    padded = pad(batch, margin, augment)
    result = np.empty_like(batch)
    horizontal, vertical = ([False] * len(batch) if flip is None else flip.tolist() for flip in flips)
    for number, (right, down) in enumerate(shifts.tolist()):
        window = padded[number, margin - down : margin - down + height, margin - right : margin - right + width]
        if vertical[number]:
            window = window[::-1]
        result[number] = window[:, ::-1] if horizontal[number] else window
    return result


def _maps(
    augment: Augment,
    windows: np.ndarray,
    size: tuple[int, int],
    shifts: np.ndarray,
    active: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Affine map of each image from result to image, x before y, in pixels; the first pixel's centre is (0.5, 0.5)."""
    count = len(windows)
    degrees = np.deg2rad(rng.uniform(-augment.rotate, augment.rotate, count)) * active
    shear = np.tan(np.deg2rad(rng.uniform(-augment.shear, augment.shear, count))) * active
    zoom = _between(augment.zoom, count, rng) ** active
    # A crop has its aspect already.
    stretch = np.ones(count) if augment.crop else _between(augment.aspect, count, rng) ** (active / 2)
    height, width = size
    left, upper, wide, high = windows.T
    # From the image to the result: stretched, sheared, and turned anticlockwise as it is seen, with y downwards.
    cosine, sine = np.cos(degrees), np.sin(degrees)
    turn = np.stack([cosine, sine, -sine, cosine], -1).reshape(-1, 2, 2)
    skew = np.stack([np.ones(count), shear, np.zeros(count), np.ones(count)], -1).reshape(-1, 2, 2)
    scale = np.stack([zoom * stretch * width / wide, zoom / stretch * height / high], -1)
    inverse = np.linalg.inv(turn @ skew * scale[:, None, :])
    middle = np.stack([left + wide / 2, upper + high / 2], -1)
    target = np.array([width / 2, height / 2]) + shifts
    offset = middle - (inverse @ target[..., None])[..., 0]
    # Rounding errors must not reach over an edge.
    return np.round(np.concatenate([inverse, offset[..., None]], -1), 9)


def _windows(
    augment: Augment, count: int, source: tuple[int, int], size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """The part of each image that is shown: left, upper, width, height (random crops as in Szegedy et al., 2015)."""
    height, width = source
    if augment.crop is None:
        return np.tile([0.0, 0.0, width, height], (count, 1))
    shape = size[1] / size[0]
    area = rng.uniform(*augment.crop, (count, ATTEMPTS)) * (height * width)
    aspect = shape * _between(augment.aspect, count * ATTEMPTS, rng).reshape(count, ATTEMPTS)
    wide, high = np.sqrt(area * aspect), np.sqrt(area / aspect)
    fits: np.ndarray = np.asarray((wide <= width) & (high <= height))
    rows, first, found = np.arange(count), fits.argmax(1), np.asarray(fits.any(1))
    # Where none fits: the largest central window of the result's shape.
    largest = min(width, height * shape)
    wide = np.where(found, wide[rows, first], largest)
    high = np.where(found, high[rows, first], largest / shape)
    place = np.where(found[:, None], rng.random((count, 2)), 0.5)
    return np.stack([place[:, 0] * (width - wide), place[:, 1] * (height - high), wide, high], -1)


def _between(bounds: tuple[float, float], count: int, rng: np.random.Generator) -> np.ndarray:
    """Factors between two bounds, log-uniform, so that a half is as likely as a double."""
    low, high = bounds
    return np.exp(rng.uniform(math.log(low), math.log(high), count))


def _resampled(
    batch: np.ndarray, maps: np.ndarray, flips: Flips, augment: Augment, size: tuple[int, int]
) -> np.ndarray:
    """Each image through its map, bilinear."""
    margin = 0
    if augment.fill != "constant":
        margin = _overhang(maps, batch.shape[1:3], size)
        batch = pad(batch, margin, augment)
        maps = maps.copy()
        maps[:, :, 2] += margin
    result = np.empty((len(batch), *size, *batch.shape[3:]), np.uint8)
    for number, data in enumerate(maps.reshape(-1, 6).tolist()):
        result[number] = warp(batch[number], data, size, augment.fill_value)
    horizontal, vertical = flips
    if horizontal is not None:
        result[horizontal] = result[horizontal, :, ::-1]
    if vertical is not None:
        result[vertical] = result[vertical, ::-1]
    return result


def warp(image: np.ndarray, data: list[float], size: tuple[int, int], fill: int) -> np.ndarray:
    """One image through an affine map from result to image: x' = ax + by + c, y' = dx + ey + f."""
    a, b, c, d, e, f = data
    height, width = size
    if (a, b, c, d, e, f) == (1, 0, 0, 0, 1, 0) and size == image.shape[:2]:
        return image
    img = Image.fromarray(image)
    box = (c, f, c + a * width, f + e * height)
    upright = b == d == 0 and a > 0 and e > 0
    if upright and c >= 0 and f >= 0 and box[2] <= img.width and box[3] <= img.height:
        # An upright window is scaled with antialiasing.
        return np.asarray(img.resize((width, height), Image.Resampling.BILINEAR, box=box))
    colour = fill if image.ndim == 2 else (fill, fill, fill)
    turned = img.transform((width, height), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR, fillcolor=colour)
    return np.asarray(turned)


def pad(batch: np.ndarray, margin: int, augment: Augment) -> np.ndarray:
    """Images (b, H, W[, 3]) with ``margin`` more pixels on each side, as ``fill`` says."""
    if not margin:
        return batch
    widths = [(0, 0), (margin, margin), (margin, margin)] + [(0, 0)] * (batch.ndim - 3)
    if augment.fill == "constant":
        return np.pad(batch, widths, constant_values=augment.fill_value)
    return np.pad(batch, widths, mode=augment.fill)


def _overhang(maps: np.ndarray, source: tuple[int, ...], size: tuple[int, int]) -> int:
    """How many pixels the results reach over the images' edges, at most once their size."""
    height, width = source
    corners = np.array([[0, 0, 1], [size[1], 0, 1], [0, size[0], 1], [size[1], size[0], 1]], np.float64)
    places = maps @ corners.T
    over = max(-places.min(), places[:, 0].max() - width, places[:, 1].max() - height)
    return int(min(max(0, math.ceil(over) + 1), max(height, width)))
