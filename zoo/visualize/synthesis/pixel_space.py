"""The plain way: each pixel is a number of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.visualize.synthesis.parameterisation import Parameterisation, logit, sigmoid

#: How far the noise at the start goes from grey, before the sigmoid.
_START = 0.05


class PixelSpace(Parameterisation):
    """Pixels by themselves, which a gradient fills with noise of high frequency; here for comparison."""

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """White noise on grey."""
        shape = (count, self.height, self.width, self.channels)
        return _START * rng.standard_normal(shape, dtype=np.float32)

    def pixels(self, parameters: Any) -> Any:
        """The sigmoid of each."""
        return sigmoid(parameters)

    def parameters(self, pixels: np.ndarray) -> np.ndarray:
        """The logit of each."""
        return logit(pixels).astype("float32")
