"""All augmentations, applied to a batch one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.data.augment import colour, erasing, geometry, mixing, randaugment
from zoo.data.augment.config import Augment

#: (images uint8 (b, h, w[, 3]), settings, random numbers) → images of the same shape; the input is not changed.
Operation = Callable[[np.ndarray, Augment, np.random.Generator], np.ndarray]

#: Each augmentation of single images and the settings of which one turns it on, in the order in which they are applied.
OPERATIONS: tuple[tuple[Operation, tuple[str, ...]], ...] = (
    (randaugment.apply, ("rand_augment",)),
    (colour.jitter, ("brightness", "contrast", "saturation", "hue")),
    (colour.noise, ("noise",)),
    (erasing.cutout, ("cutout",)),
    (erasing.erase, ("erase",)),
)


def augment_batch(
    images: np.ndarray, labels: np.ndarray, augment: Augment, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Augment uint8 (b, H, W[, 3]) to ``size``: geometry, :data:`OPERATIONS`, mixing with labels; inputs stay."""
    images = geometry.apply(images, augment, rng, size)
    for operation, settings in OPERATIONS:
        if any(getattr(augment, name) for name in settings):
            images = operation(images, augment, rng)
    return mixing.mix(images, labels, augment, rng)
