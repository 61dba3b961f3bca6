"""Layer-CAM: each number of a layer times its gradient where that is positive; works for early layers too."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import LayerMethod


class LayerCam(LayerMethod):
    """Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", 2021, eq. 6 and 7."""

    name = "layercam"
    title = "Layer-CAM"
    paper = "Jiang et al. 2021, IEEE Transactions on Image Processing 30"

    def weigh(self, activations: np.ndarray, gradients: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The sum of the products over the channels, with negative gradients left out."""
        weighed: np.ndarray = (activations * np.maximum(gradients, 0)).sum(axis=-1)
        return weighed

    def blank(self, values: np.ndarray) -> str:
        """Only gradients above 0 count."""
        if values.any():
            return super().blank(values)
        return f"no place of {self.layer} that is active here has a gradient above 0 for this class"
