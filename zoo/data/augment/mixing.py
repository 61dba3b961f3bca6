"""Augmentation that mixes images, and their labels in the same proportion."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from zoo.data.augment.config import Augment

#: (images, other images of the same shape, share that stays, random numbers) → mixed images, and the exact share.
Mix = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], tuple[np.ndarray, float]]


def cutmix(batch: np.ndarray, partners: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Put a rectangle of one image into the other (Yun et al., 2019)."""
    height, width = batch.shape[1:3]
    high, wide = (round(side * math.sqrt(1 - share)) for side in (height, width))
    top, left = rng.integers(0, height) - high // 2, rng.integers(0, width) - wide // 2
    rows, columns = slice(max(0, top), max(0, top + high)), slice(max(0, left), max(0, left + wide))
    result = batch.copy()
    result[:, rows, columns] = partners[:, rows, columns]
    # What reached over the edge is not there.
    pasted = result[0, rows, columns].shape[0] * result[0, rows, columns].shape[1]
    return result, 1 - pasted / (height * width)


def mixup(batch: np.ndarray, partners: np.ndarray, share: float, _: np.random.Generator) -> tuple[np.ndarray, float]:
    """Blend the two images (Zhang et al., 2017), in whole 256ths, so that integers do."""
    own = round(256 * share)
    blended = np.uint16(own) * batch + np.uint16(256 - own) * partners
    return np.right_shift(blended + np.uint16(128), 8).astype(np.uint8), own / 256


#: The ways of mixing, by the setting that is the alpha of their Beta distribution.
MIXES: dict[str, Mix] = {"cutmix": cutmix, "mixup": mixup}


def mix(
    batch: np.ndarray, labels: np.ndarray, augment: Augment, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mix images and labels (float32 (b, classes)) with others of the batch, by a share from Beta(alpha, alpha)."""
    names = [name for name in MIXES if getattr(augment, name)]
    if not names:
        return batch, labels
    name = names[int(rng.random() * len(names))] if len(names) > 1 else names[0]
    alpha = getattr(augment, name)
    share = float(rng.beta(alpha, alpha))
    partners = rng.permutation(len(batch))
    result, share = MIXES[name](batch, batch[partners], share, rng)
    return result, (share * labels + (1 - share) * labels[partners]).astype(np.float32)


def mix_values(
    values: np.ndarray, labels: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Manifold mixup (Verma et al., 2019): blend activations (b, …) and labels with those of other images."""
    share = np.float32(rng.beta(alpha, alpha))
    partners = rng.permutation(len(values))
    return tuple(share * part + (1 - share) * part[partners] for part in (values, labels))  # type: ignore[return-value]
