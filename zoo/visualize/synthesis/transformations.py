"""Random transformations of what the model is shown, so that an image must hold for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualize.synthesis.fourier import WHITE

#: Grey padding around the image, and maximum translation each way, as shares of its side.
PAD, JITTER = 0.08, 0.06
#: Maximum change of scale, as a share, and maximum rotation each way, in degrees.
SCALE, ROTATE = 0.1, 10.0
#: Standard deviation of the noise at the first step, in grey levels; it fades until the last.
NOISE = 15.0


def random_affine(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Pad, jitter, scale and rotate, as one affine matrix (Olah et al., 2017, "Transformation Robustness").

    It is an argument of the compiled function, which is therefore compiled once.

    Returns:
        float32 (1, 8) for :func:`keras.ops.image.affine_transform`.
    """
    angle = np.radians(rng.uniform(-ROTATE, ROTATE))
    zoom = (1 + 2 * PAD) * rng.uniform(1 - SCALE, 1 + SCALE)
    down, right = (side * rng.uniform(-JITTER, JITTER) for side in (height, width))
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    # Around the middle of the image.
    y, x = (height - 1) / 2, (width - 1) / 2
    to_x = cosine, -sine, x - cosine * x + sine * y + right
    to_y = sine, cosine, y - sine * x - cosine * y + down
    return np.array([[*to_x, *to_y, 0, 0]], "float32")


def random_noise(height: int, width: int, channels: int, progress: float, rng: np.random.Generator) -> np.ndarray:
    """Noise to add, which prevents fine adversarial patterns: float32 (1, height, width, channels), in grey levels.

    ``progress`` is 0 at the first step, where it is strongest, and 1 at the last, where there is none.
    """
    strength = np.float32(NOISE * (1 - progress))
    return strength * rng.standard_normal((1, height, width, channels), dtype=np.float32)


def transform(pixels: Any, matrix: Any, noise: Any) -> Any:
    """Transform all images (n, height, width, channels) alike, on middle grey, and add noise."""
    from keras import ops

    matrices = ops.repeat(matrix, pixels.shape[0], axis=0)
    shown = ops.image.affine_transform(
        pixels, matrices, interpolation="bilinear", fill_mode="constant", fill_value=WHITE / 2
    )
    return shown + noise
