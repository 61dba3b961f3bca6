"""Grad-CAM++."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod

#: Denominators below this count as 0.
_TINY = 1e-8


class GradCamPlusPlus(LayerMethod):
    """Chattopadhyay et al., "Grad-CAM++", 2018 (arXiv:1710.11063), equations 5, 12 and 19.

    The score is the exponential of the logit, so its higher derivatives are powers of the first.
    """

    name = "gradcam++"
    title = "Grad-CAM++"
    paper = "Chattopadhyay et al. 2018, arXiv:1710.11063"
    summary = "as Grad-CAM, with a weight for each place, so that several objects of a class all show"
    positive_only = True

    def weigh(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The sum of the channels, each times the weighted sum of its positive gradients."""
        squared, cubed = gradients**2, gradients**3
        denominator = 2 * squared + activations.sum(axis=(1, 2), keepdims=True) * cubed
        shares = np.where(np.abs(denominator) > _TINY, squared / np.where(denominator == 0, 1, denominator), 0)
        weights = (shares * np.maximum(gradients, 0)).sum(axis=(1, 2))
        weighted: np.ndarray = np.einsum("nrck,nk->nrc", activations, weights)
        return weighted
