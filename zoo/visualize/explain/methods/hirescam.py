"""HiResCAM: each number of a layer times its own gradient, so that places are not averaged away."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class HiResCam(LayerMethod):
    """Draelos and Carin, "Use HiResCAM instead of Grad-CAM", 2020 (arXiv:2011.08891)."""

    name = "hirescam"
    title = "HiResCAM"
    paper = "Draelos and Carin 2020, arXiv:2011.08891"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The sum of the products over the channels."""
        weighed: np.ndarray = (activations * gradients).sum(axis=-1)
        return weighed
