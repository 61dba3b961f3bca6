"""Grad-CAM."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class GradCam(LayerMethod):
    """Selvaraju et al., "Grad-CAM", 2017 (arXiv:1610.02391), equations 1 and 2."""

    name = "gradcam"
    title = "Grad-CAM"
    paper = "Selvaraju et al. 2017, arXiv:1610.02391"
    summary = "channels of a layer, weighted by their mean gradient"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The sum of the channels, each times its mean gradient."""
        weighted: np.ndarray = np.einsum("nrck,nk->nrc", activations, gradients.mean(axis=(1, 2)))
        return weighted
