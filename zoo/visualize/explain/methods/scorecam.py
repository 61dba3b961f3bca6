"""Score-CAM: channels of a layer, weighed by what the network says to the image seen through each of them."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import Method, enlarged
from zoo.visualize.explain.masking import faded

#: Masked images in memory at a time.
CHUNK = 64


class ScoreCam(Method):
    """Wang et al., "Score-CAM", 2020 (arXiv:1910.01279), equations 4 to 6.

    A channel, enlarged and brought to 0-1, is a mask through which the image is seen; where it is 0 there is the
    image's mean colour. Its weight is what the class's probability is then above that of the mean colour alone. No
    softmax is taken of the weights: over hundreds of probabilities it would make them all the same. The network runs
    once for each channel.
    """

    name = "scorecam"
    title = "Score-CAM"
    paper = "Wang et al. 2020, arXiv:1910.01279"
    has_layer = True

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The sum of the channels, each times its weight."""
        assert self.layer is not None
        activations = self.subject.activations(self.layer, pixels)
        weights = np.stack([self._weights(*one) for one in zip(pixels, activations, targets, strict=True)])
        found: np.ndarray = np.einsum("nrck,nk->nrc", activations, weights)
        return found

    def _weights(self, image: np.ndarray, activations: np.ndarray, target: int) -> np.ndarray:
        """How much of the class is seen through each channel: float32 (channels,)."""
        height, width, _ = image.shape
        low, high = activations.min(axis=(0, 1)), activations.max(axis=(0, 1))
        # A channel that is the same everywhere hides nothing and shows nothing.
        varied = np.flatnonzero(high > low)
        masks = (activations[..., varied] - low[varied]) / (high - low)[varied]
        nothing = self.subject.predict(faded(self.subject, image, np.zeros((1, height, width))))[0, target]
        weights = np.zeros(activations.shape[-1], "float32")
        for start in range(0, len(varied), CHUNK):
            part = [enlarged(mask, height, width) for mask in np.moveaxis(masks[..., start : start + CHUNK], -1, 0)]
            shown = self.subject.predict(faded(self.subject, image, np.stack(part)))[:, target]
            weights[varied[start : start + CHUNK]] = shown - nothing
        return weights

    def blank(self, values: np.ndarray) -> str:
        """No channel shows the class."""
        if not values.any():
            return f"the probability of this class is the same through every channel of {self.layer}"
        return f"the channels of {self.layer}, weighed by how much of this class each shows, are negative everywhere"
