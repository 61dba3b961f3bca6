"""Grad-CAM: channels of a layer, weighed by how much the class's logit grows with their mean."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class GradCam(LayerMethod):
    """Selvaraju et al., "Grad-CAM", 2017 (arXiv:1610.02391), equations 1 and 2."""

    name = "gradcam"
    title = "Grad-CAM"
    paper = "Selvaraju et al. 2017, arXiv:1610.02391"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The sum of the channels, each times the mean of its gradient."""
        weights = gradients.mean(axis=(1, 2))
        weighed: np.ndarray = np.einsum("nrck,nk->nrc", activations, weights)
        return weighed
