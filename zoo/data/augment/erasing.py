"""Augmentation that hides parts of images."""

from __future__ import annotations

import math

import numpy as np

from zoo.data.augment.config import Augment

#: Area and aspect of what random erasing hides (Zhong et al., 2017), as fractions of the image.
ERASED_AREA, ERASED_ASPECT = (0.02, 0.33), (0.3, 1 / 0.3)


def cutout(batch: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """Hide a square around a random place of each image (DeVries and Taylor, 2017); it may reach over the edge."""
    height, width = batch.shape[1:3]
    length = round(augment.cutout if augment.cutout >= 1 else augment.cutout * min(height, width))
    result = batch.copy()
    tops = rng.integers(0, height, len(batch)) - length // 2
    lefts = rng.integers(0, width, len(batch)) - length // 2
    for image, top, left in zip(result, tops.tolist(), lefts.tolist(), strict=True):
        image[max(0, top) : max(0, top + length), max(0, left) : max(0, left + length)] = augment.fill_value
    return result


def erase(batch: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """Put noise into a rectangle of some images: random erasing (Zhong et al., 2017)."""
    count, height, width = batch.shape[:3]
    result = batch.copy()
    chosen = np.flatnonzero(rng.random(count) < augment.erase)
    areas = rng.uniform(*ERASED_AREA, count) * (height * width)
    aspects = np.exp(rng.uniform(math.log(ERASED_ASPECT[0]), math.log(ERASED_ASPECT[1]), count))
    places = rng.random((count, 2))
    for number in chosen.tolist():
        high = min(height, max(1, round(math.sqrt(areas[number] / aspects[number]))))
        wide = min(width, max(1, round(math.sqrt(areas[number] * aspects[number]))))
        top, left = (places[number] * (height - high + 1, width - wide + 1)).astype(int).tolist()
        part = result[number, top : top + high, left : left + wide]
        part[:] = rng.integers(0, 256, part.shape, np.uint8)
    return result
