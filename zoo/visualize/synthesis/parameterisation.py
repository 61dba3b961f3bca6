"""What an optimiser changes, and how pixels come of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

#: The largest pixel; all pixels here are 0 to 255.
WHITE = 255.0
#: The nearest that an image may come to black and white where the sigmoid is turned round: there it has no slope.
_MARGIN = 12.0


class Parameterisation(ABC):
    """A way to write images as numbers without bounds; it decides which way is the steepest, not which is best."""

    def __init__(self, height: int, width: int, channels: int = 3) -> None:
        """Take the size of the images."""
        self.height, self.width, self.channels = height, width, channels

    @abstractmethod
    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Where to begin: float32 (count, …), faint noise on grey."""

    @abstractmethod
    def pixels(self, parameters: Any) -> Any:
        """From parameters to images, by operations that have gradients.

        Args:
            parameters: float32 (n, …).

        Returns:
            A tensor float32 (n, height, width, channels), 0 to 255.
        """

    @abstractmethod
    def parameters(self, pixels: np.ndarray) -> np.ndarray:
        """From images back to parameters.

        Args:
            pixels: uint8 or float (n, height, width, channels), 0 to 255; black and white come out as 12 and 243.

        Returns:
            float32 (n, …).
        """


def sigmoid(values: Any) -> Any:
    """Numbers without bounds as pixels."""
    from keras import ops

    return WHITE * ops.sigmoid(values)


def logit(pixels: np.ndarray) -> np.ndarray:
    """The numbers of which :func:`sigmoid` makes these pixels; float64."""
    share = np.clip(pixels, _MARGIN, WHITE - _MARGIN) / WHITE
    result: np.ndarray = np.log(share / (1 - share))
    return result
