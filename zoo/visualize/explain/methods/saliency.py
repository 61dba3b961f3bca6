"""Saliency: the plain gradient of the logit by the pixels."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import PixelMethod


class Saliency(PixelMethod):
    """Simonyan et al., "Deep Inside Convolutional Networks", 2013 (arXiv:1312.6034), section 3.

    The maximum over the channels of the absolute gradient, so evidence against the class counts too.
    """

    name = "saliency"
    title = "Saliency"
    paper = "Simonyan et al. 2013, arXiv:1312.6034"
    summary = "the absolute gradient of each pixel"

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The absolute gradient."""
        (gradients,), _ = self.net.gradient(pixels, targets)
        found: np.ndarray = np.abs(gradients).max(axis=-1)
        return found
