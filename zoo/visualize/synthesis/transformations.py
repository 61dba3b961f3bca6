"""Small changes of what the network is shown, so that an image must hold for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualize.synthesis.parameterisation import WHITE

#: Grey margin that is shown around the image, and how far it is moved each way at most, as shares of its side.
PAD, JITTER = 0.08, 0.06
#: How much smaller or larger at most, as a share; degrees at most, each way.
SCALE, ROTATE = 0.1, 10.0
#: How strong the noise is that is laid over it at the start, in grey levels; it fades until the end.
NOISE = 15.0


def draw(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Pad, jitter, scale and rotate, as one affine change (Olah et al., 2017, "Transformation Robustness").

    The numbers are drawn in NumPy and reach the compiled function as an argument, so that it is compiled once.

    Returns:
        float32 (1, 8), as :func:`keras.ops.image.affine_transform` takes it: from places in what is shown to places in
        the image.
    """
    angle = np.radians(rng.uniform(-ROTATE, ROTATE))
    zoom = (1 + 2 * PAD) * rng.uniform(1 - SCALE, 1 + SCALE)
    down, right = (side * rng.uniform(-JITTER, JITTER) for side in (height, width))
    cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
    # About the middle of the image.
    y, x = (height - 1) / 2, (width - 1) / 2
    to_x = cosine, -sine, x - cosine * x + sine * y + right
    to_y = sine, cosine, y - sine * x - cosine * y + down
    return np.array([[*to_x, *to_y, 0, 0]], "float32")


def noise(height: int, width: int, channels: int, progress: float, rng: np.random.Generator) -> np.ndarray:
    """Noise to lay over what is shown: what it can hide was no shape but a fine pattern that a network falls for.

    Args:
        height: of the images.
        width: of the images.
        channels: of the images.
        progress: 0 at the first step, where it is strongest, 1 at the last, where there is none.
        rng: random numbers.

    Returns:
        float32 (1, height, width, channels), in grey levels.
    """
    strength = np.float32(NOISE * (1 - progress))
    return strength * rng.standard_normal((1, height, width, channels), dtype=np.float32)


def transformed(pixels: Any, matrix: Any, noise: Any) -> Any:
    """Show all images in the same way, on middle grey.

    Args:
        pixels: a tensor float32 (n, height, width, channels).
        matrix: float32 (1, 8), of :func:`draw`.
        noise: float32 (1, height, width, channels).

    Returns:
        A tensor of the images' shape.
    """
    from keras import ops

    matrices = ops.repeat(matrix, pixels.shape[0], axis=0)
    shown = ops.image.affine_transform(
        pixels, matrices, interpolation="bilinear", fill_mode="constant", fill_value=WHITE / 2
    )
    return shown + noise
