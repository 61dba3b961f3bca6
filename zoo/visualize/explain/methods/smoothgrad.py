"""SmoothGrad: the mean gradient over noisy copies of an image."""

from __future__ import annotations

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import PixelMethod
from zoo.visualize.network.inspected_model import InspectedModel


class SmoothGrad(PixelMethod):
    """Smilkov et al., "SmoothGrad", 2017 (arXiv:1706.03825), section 3.

    The maximum over the channels of the absolute mean gradient.
    """

    name = "smoothgrad"
    title = "SmoothGrad"
    paper = "Smilkov et al. 2017, arXiv:1706.03825"
    summary = "the mean gradient over noisy copies of the image"

    def __init__(
        self, net: InspectedModel, *, layer: str | None = None, samples: int = 25, noise: float = 0.15, seed: int = 0
    ) -> None:
        """Prepare the method.

        Args:
            net: the model.
            layer: none.
            samples: noisy copies of each image.
            noise: standard deviation of the noise, as a share of the range of the image's values.
            seed: of the noise, which is the same for every image.

        Raises:
            UsageError: a layer was given, or a number is out of range.
        """
        super().__init__(net, layer=layer)
        if samples < 1 or noise < 0:
            raise UsageError(f"SmoothGrad takes 1 sample or more, and noise from 0. Received: {samples} and {noise:g}")
        self.samples, self.noise, self.seed = samples, noise, seed

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The absolute mean gradient."""
        rng = np.random.default_rng(self.seed)
        deviation = self.noise * np.ptp(pixels, axis=(1, 2, 3), keepdims=True)
        total = np.zeros_like(pixels)
        for _ in range(self.samples):
            noise = rng.standard_normal(pixels.shape[1:], "float32")
            (gradients,), _ = self.net.gradient(pixels + deviation * noise, targets)
            total += gradients
        found: np.ndarray = np.abs(total / self.samples).max(axis=-1)
        return found
