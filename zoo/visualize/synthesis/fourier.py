"""Images as spectra: all frequencies are optimized at the rate at which photographs have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualize.synthesis.colour import mixing

#: The largest pixel value.
WHITE = 255.0
#: Distance from black and white in :func:`logit`, where the sigmoid has no slope.
_MARGIN = 12.0
#: Standard deviation of the initial noise.
_START = 0.01
#: Scales converged parameters to the contrast of a photograph.
_CONTRAST = 0.3


class Fourier:
    """The parameterisation of an image by its spectrum divided by frequency, in decorrelated colours.

    Olah et al., "Feature Visualization", 2017: steepest ascent in this space treats all frequencies alike, whereas in
    pixel space the highest win. The transform is Hartley's, which is real and its own inverse (Bracewell, "Discrete
    Hartley transform", 1983): along a side of n pixels wave k is (cos 2πkx/n + sin 2πkx/n) / √n.
    """

    def __init__(self, height: int, width: int, channels: int = 3) -> None:
        """Prepare the waves, (side, side) for each side, and their scales, (height, width)."""
        self.height, self.width, self.channels = height, width, channels
        self._waves = _waves(height), _waves(width)
        self._scale = _CONTRAST / np.maximum(frequencies(height, width), 1 / max(height, width))
        self._colours = mixing() if channels == 3 else np.eye(channels)

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Parameters of faint noise on grey: float32 (count, channels, height, width)."""
        return _START * rng.standard_normal((count, self.channels, self.height, self.width), dtype=np.float32)

    def pixels(self, parameters: Any) -> Any:
        """Images of parameters (n, channels, height, width): a tensor float32 (n, height, width, channels), 0-255."""
        from keras import ops

        rows, columns = (ops.cast(waves, "float32") for waves in self._waves)
        planes = ops.matmul(ops.matmul(rows, parameters * ops.cast(self._scale, "float32")), columns)
        colours = ops.matmul(ops.transpose(planes, (0, 2, 3, 1)), ops.cast(self._colours.T, "float32"))
        return WHITE * ops.sigmoid(colours)

    def parameters(self, pixels: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`pixels`: float32. Values are clipped to 12-243."""
        share = np.clip(pixels, _MARGIN, WHITE - _MARGIN) / WHITE
        planes = (np.log(share / (1 - share)) @ np.linalg.inv(self._colours).T).transpose(0, 3, 1, 2)
        rows, columns = self._waves
        result: np.ndarray = (rows @ planes @ columns / self._scale).astype("float32")
        return result


def frequencies(height: int, width: int) -> np.ndarray:
    """The frequency of each wave in cycles per pixel: float64 (height, width), 0 to √½."""
    rows, columns = (np.minimum(np.arange(side), side - np.arange(side)) / side for side in (height, width))
    found: np.ndarray = np.hypot(rows[:, None], columns[None, :])
    return found


def _waves(side: int) -> np.ndarray:
    """Hartley's waves, one a row: float64 (side, side)."""
    # The product is reduced modulo one turn first, so that long sides lose no digits.
    turns = np.outer(np.arange(side), np.arange(side)) % side / side * 2 * np.pi
    waves: np.ndarray = (np.cos(turns) + np.sin(turns)) / np.sqrt(side)
    return waves
