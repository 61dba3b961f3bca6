"""Layer-CAM."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class LayerCam(LayerMethod):
    """Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", 2021, eq. 6 and 7."""

    name = "layercam"
    title = "Layer-CAM"
    paper = "Jiang et al. 2021, IEEE Transactions on Image Processing 30"
    summary = "as HiResCAM, with positive gradients only; suits early layers too"
    positive_only = True

    def weigh(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The sum over the channels of activation times positive gradient."""
        weighted: np.ndarray = (activations * np.maximum(gradients, 0)).sum(axis=-1)
        return weighted
