"""Grad-CAM++: as Grad-CAM, but places of a channel count by themselves, so that all objects of a class show."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod

#: What a denominator is at least.
_TINY = 1e-8


class GradCamPlusPlus(LayerMethod):
    """Chattopadhyay et al., "Grad-CAM++", 2018 (arXiv:1710.11063), equations 5, 12 and 19.

    The score is the exponential of the logit, which makes its second and third derivatives powers of the first.
    """

    name = "gradcam++"
    title = "Grad-CAM++"
    paper = "Chattopadhyay et al. 2018, arXiv:1710.11063"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The sum of the channels, each times what its places with a positive gradient weigh."""
        squared, cubed = gradients**2, gradients**3
        denominator = 2 * squared + activations.sum(axis=(1, 2), keepdims=True) * cubed
        shares = np.where(np.abs(denominator) > _TINY, squared / np.where(denominator == 0, 1, denominator), 0)
        weights = (shares * np.maximum(gradients, 0)).sum(axis=(1, 2))
        weighed: np.ndarray = np.einsum("nrck,nk->nrc", activations, weights)
        return weighed

    def blank(self, values: np.ndarray) -> str:
        """Only gradients above 0 count."""
        if values.any():
            return super().blank(values)
        return f"no place of {self.layer} that is active here has a gradient above 0 for this class"
