"""Colour augmentation: brightness, contrast, saturation and hue as one affine map of the colours of each image."""

from __future__ import annotations

import numpy as np

from zoo.data.augment.config import Augment

#: Grey of RGB, by ITU-R BT.601, and from RGB to YIQ (FCC, 1953), in whose plane of I and Q a hue is an angle.
GREY = np.array([0.299, 0.587, 0.114])
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = np.linalg.inv(_YIQ)


def jitter(batch: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast, saturation and hue of uint8 (b, h, w[, 3]) at random, as one affine map."""
    count = len(batch)
    brightness, contrast, saturation = (
        1 + rng.uniform(-strength, strength, count)
        for strength in (augment.brightness, augment.contrast, augment.saturation)
    )
    angle = 2 * np.pi * rng.uniform(-augment.hue, augment.hue, count)
    means = batch.reshape(count, -1, *batch.shape[3:]).mean(1)
    gain = brightness * contrast
    if batch.ndim == 3:
        offset = brightness * means * (1 - contrast)
        return _bytes(batch * _column(gain, 3) + _column(offset, 3))
    offset = brightness * (means @ GREY) * (1 - contrast)
    if not augment.saturation and not augment.hue:
        return _bytes(batch * _column(gain, 4) + _column(offset, 4))
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.zeros((count, 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = cosine
    turn[:, 1, 2], turn[:, 2, 1] = -sine, sine
    fade = saturation[:, None, None] * np.eye(3) + (1 - saturation)[:, None, None] * GREY
    # Contrast's offset is a grey, which saturation and hue do not change.
    matrix = (_RGB @ turn @ _YIQ @ fade * gain[:, None, None]).astype(np.float32)
    pixels = batch.reshape(count, -1, 3).astype(np.float32)
    changed = pixels @ matrix.transpose(0, 2, 1)
    changed += _column(offset, 3)
    return _bytes(changed).reshape(batch.shape)


def noise(batch: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise to uint8 images."""
    return _bytes(batch + rng.standard_normal(batch.shape, np.float32) * np.float32(augment.noise))


def _column(values: np.ndarray, dimensions: int) -> np.ndarray:
    return values.astype(np.float32).reshape(-1, *[1] * (dimensions - 1))


def _bytes(values: np.ndarray) -> np.ndarray:
    """Rounded and clipped to 0-255; changes its argument."""
    np.rint(values, out=values)
    np.clip(values, 0, 255, out=values)
    return values.astype(np.uint8)
