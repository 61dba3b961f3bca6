"""What the tests of augmentation share: images to change, and chance that is none."""

from __future__ import annotations

import numpy as np

from tests.drawn import detailed, drawing
from zoo.data.augment.config import Augment
from zoo.data.augment.pipeline import augment_batch


def images(count=6, height=32, width=32, *, grey=False):
    """A batch of images with smooth parts, edges and noise, and one-hot labels of 4 classes."""
    batch = np.stack([detailed(64, 64, number)[:height, :width] for number in range(count)])
    batch[0] = drawing(height, width)
    return (batch[..., 0] if grey else batch), np.eye(4, dtype=np.float32)[np.arange(count) % 4]


def run(settings, batch, labels, *, seed=0, size=None):
    augment = settings if isinstance(settings, Augment) else Augment.from_mapping(settings)
    return augment_batch(batch, labels, augment, np.random.default_rng(seed), size or batch.shape[1:3])


class Fixed:
    """Chance that always takes the upper bound, and the first of two."""

    def uniform(self, low, high, size):
        return np.full(size, high, np.float64)

    def random(self, size):
        return np.full(size, 0.75)

    def integers(self, low, high, size, endpoint=False):
        return np.full(size, high if endpoint else high - 1)
