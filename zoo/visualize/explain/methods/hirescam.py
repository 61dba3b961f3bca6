"""HiResCAM."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class HiResCam(LayerMethod):
    """Draelos and Carin, "Use HiResCAM instead of Grad-CAM", 2020 (arXiv:2011.08891)."""

    name = "hirescam"
    title = "HiResCAM"
    paper = "Draelos and Carin 2020, arXiv:2011.08891"
    summary = "each activation of a layer times its own gradient"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The sum over the channels of activation times gradient."""
        weighted: np.ndarray = (activations * gradients).sum(axis=-1)
        return weighted
