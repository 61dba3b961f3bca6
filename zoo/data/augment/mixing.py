"""Augmentation that hides parts of images, or mixes images and their labels."""

from __future__ import annotations

import math

import numpy as np

#: Area and aspect of what random erasing hides (Zhong et al., 2017), as fractions of the image.
ERASED_AREA, ERASED_ASPECT = (0.02, 0.33), (0.3, 1 / 0.3)


def cutout(batch: np.ndarray, side: float, fill: int, rng: np.random.Generator) -> np.ndarray:
    """Hide a square around a random place of each image (DeVries and Taylor, 2017); it may reach over the edge.

    Args:
        batch: uint8 (b, h, w[, 3]); not changed.
        side: of the square, in pixels, or below 1 as a fraction of the image's shorter side.
        fill: what stands there instead, 0-255.
        rng: where chance comes from.
    """
    height, width = batch.shape[1:3]
    length = round(side if side >= 1 else side * min(height, width))
    result = batch.copy()
    tops = rng.integers(0, height, len(batch)) - length // 2
    lefts = rng.integers(0, width, len(batch)) - length // 2
    for image, top, left in zip(result, tops.tolist(), lefts.tolist(), strict=True):
        image[max(0, top) : max(0, top + length), max(0, left) : max(0, left + length)] = fill
    return result


def erase(batch: np.ndarray, probability: float, rng: np.random.Generator) -> np.ndarray:
    """Put noise into a rectangle of some images: random erasing, Zhong et al., 2017.

    Args:
        batch: uint8 (b, h, w[, 3]); not changed.
        probability: that it befalls an image.
        rng: where chance comes from.
    """
    count, height, width = batch.shape[:3]
    result = batch.copy()
    chosen = np.flatnonzero(rng.random(count) < probability)
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


def mix(
    batch: np.ndarray, labels: np.ndarray, mixup: float, cutmix: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mix each image with another of the batch; where both ways are asked for, each batch takes one of them.

    mixup (Zhang et al., 2017) blends the two, cutmix (Yun et al., 2019) puts a rectangle of one into the other; the
    labels are blended in the same proportion, which is drawn from Beta(alpha, alpha) once for a batch.

    Args:
        batch: uint8 (b, h, w[, 3]).
        labels: float32 (b, classes).
        mixup: alpha, 0 for none.
        cutmix: alpha, 0 for none.
        rng: where chance comes from.

    Returns:
        images and labels, of the same shapes.
    """
    cut = bool(cutmix) and (not mixup or rng.random() < 0.5)
    share = float(rng.beta(cutmix, cutmix) if cut else rng.beta(mixup, mixup))
    partners = rng.permutation(len(batch))
    if cut:
        result, share = _pasted(batch, partners, share, rng)
    else:
        # In whole 256ths, so that integers do.
        own = round(256 * share)
        share = own / 256
        blended = np.uint16(own) * batch + np.uint16(256 - own) * batch[partners]
        result = np.right_shift(blended + np.uint16(128), 8).astype(np.uint8)
    return result, (share * labels + (1 - share) * labels[partners]).astype(np.float32)


def mix_values(
    values: np.ndarray, labels: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blend what a network made of each image with what it made of another (Verma et al., Manifold Mixup, 2019).

    Args:
        values: float32 (b, …).
        labels: float32 (b, classes).
        alpha: of the Beta distribution that the proportion is drawn from, above 0.
        rng: where chance comes from.

    Returns:
        values and labels, of the same shapes.
    """
    share = np.float32(rng.beta(alpha, alpha))
    partners = rng.permutation(len(values))
    return tuple(share * part + (1 - share) * part[partners] for part in (values, labels))  # type: ignore[return-value]


def _pasted(
    batch: np.ndarray, partners: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """A rectangle of the partners in each image, and the share of the image that stays its own."""
    height, width = batch.shape[1:3]
    high, wide = (round(side * math.sqrt(1 - share)) for side in (height, width))
    top, left = rng.integers(0, height) - high // 2, rng.integers(0, width) - wide // 2
    rows, columns = slice(max(0, top), max(0, top + high)), slice(max(0, left), max(0, left + wide))
    result = batch.copy()
    result[:, rows, columns] = batch[partners, rows, columns]
    # What reached over the edge is not there.
    pasted = result[0, rows, columns].shape[0] * result[0, rows, columns].shape[1]
    return result, 1 - pasted / (height * width)
