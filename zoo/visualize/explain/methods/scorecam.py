"""Score-CAM."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import Method
from zoo.visualize.explain.masking import masked, resize_map

#: Masked images per chunk, to bound memory.
CHUNK = 64


class ScoreCam(Method):
    """Wang et al., "Score-CAM", 2020 (arXiv:1910.01279), equations 4 to 6.

    Each channel, resized and scaled to 0-1, masks the image. Its weight is the class's probability then, minus that of
    the image's mean colour. The paper's softmax over the weights is left out: over hundreds of probabilities it would
    make them equal. The model runs once for each channel.
    """

    name = "scorecam"
    title = "Score-CAM"
    paper = "Wang et al. 2020, arXiv:1910.01279"
    summary = "channels, weighted by the class's probability when the image is masked by them; no gradient"
    has_layer = True

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The weighted sum of the channels."""
        assert self.layer is not None
        activations = self.net.activations(self.layer, pixels)
        weights = np.stack([self._weights(*one) for one in zip(pixels, activations, targets, strict=True)])
        found: np.ndarray = np.einsum("nrck,nk->nrc", activations, weights)
        return found

    def _weights(self, image: np.ndarray, activations: np.ndarray, target: int) -> np.ndarray:
        """The weight of each channel: float32 (channels,)."""
        height, width, _ = image.shape
        low, high = activations.min(axis=(0, 1)), activations.max(axis=(0, 1))
        # A constant channel is no mask.
        varied = np.flatnonzero(high > low)
        masks = (activations[..., varied] - low[varied]) / (high - low)[varied]
        hidden = self.net.predict(masked(self.net, image, np.zeros((1, height, width))))[0, target]
        weights = np.zeros(activations.shape[-1], "float32")
        for start in range(0, len(varied), CHUNK):
            part = [resize_map(mask, height, width) for mask in np.moveaxis(masks[..., start : start + CHUNK], -1, 0)]
            shown = self.net.predict(masked(self.net, image, np.stack(part)))[:, target]
            weights[varied[start : start + CHUNK]] = shown - hidden
        return weights

    def blank(self, values: np.ndarray) -> str:
        """No channel raises the probability."""
        if not values.any():
            return f"the probability of this class is the same through every channel of {self.layer}"
        return f"the channels of {self.layer}, weighed by how much of this class each shows, are negative everywhere"
