"""Saliency: how fast the class's logit changes with each pixel."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import PixelMethod


class Saliency(PixelMethod):
    """Simonyan et al., "Deep Inside Convolutional Networks", 2013 (arXiv:1312.6034), section 3.

    The largest of the channels' absolute gradients. It has no sign: a pixel that speaks against the class counts too.
    """

    name = "saliency"
    title = "Saliency"
    paper = "Simonyan et al. 2013, arXiv:1312.6034"

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The absolute gradient."""
        (gradients,), _ = self.subject.gradient(pixels, targets)
        found: np.ndarray = np.abs(gradients).max(axis=-1)
        return found
