"""Images as waves: all frequencies are learnt at the rate at which photographs have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualize.synthesis.colour import mixing
from zoo.visualize.synthesis.parameterisation import Parameterisation, logit, sigmoid

#: How far the noise at the start goes from nothing, in each wave.
_START = 0.01
#: What brings waves of the size that they come to rest at to the contrast of a photograph.
_CONTRAST = 0.3


class Fourier(Parameterisation):
    """The spectrum of an image, divided by the frequency, in decorrelated colours.

    Olah et al., "Feature Visualization", 2017: steepest ascent in this space gives all frequencies a fair share, where
    in pixels the highest win. The waves are those of Hartley's transform, which has real numbers where Fourier's has
    complex ones and is its own inverse (Bracewell, "Discrete Hartley transform", 1983): along a side of n pixels wave k
    is (cos 2πkx/n + sin 2πkx/n) / √n.
    """

    def __init__(self, height: int, width: int, channels: int = 3) -> None:
        """Make the waves, (side, side) for each side, and the scale of each, (height, width)."""
        super().__init__(height, width, channels)
        self._waves = _waves(height), _waves(width)
        self._scale = _CONTRAST / np.maximum(frequencies(height, width), 1 / max(height, width))
        # A grey image has one channel, which depends on nothing.
        self._colours = mixing() if channels == 3 else np.eye(channels)

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Noise whose spectrum falls as that of photographs does."""
        shape = (count, self.channels, self.height, self.width)
        return _START * rng.standard_normal(shape, dtype=np.float32)

    def pixels(self, parameters: Any) -> Any:
        """The sum of the waves, correlated colours, and the sigmoid.

        Args:
            parameters: float32 (n, channels, height, width).

        Returns:
            A tensor float32 (n, height, width, channels), 0 to 255.
        """
        from keras import ops

        rows, columns = (ops.cast(waves, "float32") for waves in self._waves)
        planes = ops.matmul(ops.matmul(rows, parameters * ops.cast(self._scale, "float32")), columns)
        colours = ops.matmul(ops.transpose(planes, (0, 2, 3, 1)), ops.cast(self._colours.T, "float32"))
        return sigmoid(colours)

    def parameters(self, pixels: np.ndarray) -> np.ndarray:
        """The same backwards; the waves are their own inverse."""
        planes = (logit(pixels) @ np.linalg.inv(self._colours).T).transpose(0, 3, 1, 2)
        rows, columns = self._waves
        result: np.ndarray = (rows @ planes @ columns / self._scale).astype("float32")
        return result


def frequencies(height: int, width: int) -> np.ndarray:
    """How many times each wave goes up and down on the way of a pixel: float64 (height, width), 0 to √½."""
    rows, columns = (np.minimum(np.arange(side), side - np.arange(side)) / side for side in (height, width))
    found: np.ndarray = np.hypot(rows[:, None], columns[None, :])
    return found


def _waves(side: int) -> np.ndarray:
    """Hartley's waves along a side, one a row: symmetric, and their own inverse; float64 (side, side)."""
    # The product is reduced to one turn first, so that long sides lose no digits.
    turns = np.outer(np.arange(side), np.arange(side)) % side / side * 2 * np.pi
    waves: np.ndarray = (np.cos(turns) + np.sin(turns)) / np.sqrt(side)
    return waves
