"""Images of which something is hidden: parts of them, or what is fine in them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from zoo.visualize.network.subject import Subject

#: How much a blurred image is blurred: the deviation of the Gaussian, as a share of the longer side.
BLUR = 1 / 20


def faded(subject: Subject, image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """An image through masks; what is hidden has the image's mean colour, which is least of an object itself.

    Args:
        subject: the network that they are for.
        image: float32 (height, width, channels).
        masks: (n, height, width), from 0 (hidden) to 1 (as it is).

    Returns:
        (n, height, width, channels): uint8 for a network that takes plain images, for which it may have been
        compiled, else float32.
    """
    mean = image.mean(axis=(0, 1))
    shown = mean + masks[..., None].astype("float32") * (image - mean)
    images: np.ndarray = np.rint(shown).astype("uint8") if subject.spec is not None else shown
    return images


def blurred(image: np.ndarray) -> np.ndarray:
    """An image through a Gaussian of :data:`BLUR`, of which only shapes of light and colour are left.

    Args:
        image: (height, width, channels).

    Returns:
        float32 of the same shape.
    """
    height, width, _ = image.shape
    deviation = max(height, width) * BLUR
    across = np.tensordot(_gaussian(width, deviation), image.astype("float32"), (1, 1))
    return np.tensordot(_gaussian(height, deviation), across, (1, 1))


@lru_cache(maxsize=4)
def _gaussian(size: int, deviation: float) -> np.ndarray:
    """The matrix of a Gaussian blur along one side; at the edges it takes what there is."""
    places = np.arange(size)
    matrix: np.ndarray = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2).astype("float32")
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix
