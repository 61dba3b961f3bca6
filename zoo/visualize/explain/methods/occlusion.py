"""Occlusion: how much a class's probability falls when a part of the image is covered."""

from __future__ import annotations

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import Method
from zoo.visualize.explain.masking import masked
from zoo.visualize.network.inspected_model import InspectedModel

#: Covered images per chunk, to bound memory.
CHUNK = 64
#: Patches along the shorter side by default.
PATCHES = 7


class Occlusion(Method):
    """Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013 (arXiv:1311.2901), section 4.2.

    A square of the image's mean colour slides over the image. A pixel's value is the mean fall of the class's
    probability over the squares that cover it; negative where the probability rises. It needs no gradient.
    """

    name = "occlusion"
    title = "Occlusion"
    paper = "Zeiler and Fergus 2013, arXiv:1311.2901"
    summary = "how much the class's probability falls when a square is covered; no gradient"

    def __init__(
        self, net: InspectedModel, *, layer: str | None = None, patch: int | None = None, stride: int | None = None
    ) -> None:
        """Prepare the method.

        Args:
            net: the model.
            layer: none.
            patch: side of the square in pixels; a seventh of the image's shorter side if omitted.
            stride: pixels from one square to the next; half the side if omitted.

        Raises:
            UsageError: a layer was given, or a number is out of range.
        """
        super().__init__(net, layer=layer)
        side = min(net.input_shape[:2])
        self.patch = max(1, round(side / PATCHES)) if patch is None else patch
        self.stride = max(1, self.patch // 2) if stride is None else stride
        if not 1 <= self.patch <= side or self.stride < 1:
            raise UsageError(
                f"The patch is from 1 to {side} pixels for {net.name}, and the stride at least 1. "
                f"Received: {self.patch} and {self.stride}"
            )

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The mean fall in probability at each pixel."""
        height, width = pixels.shape[1:3]
        corners = [(row, column) for row in self._starts(height) for column in self._starts(width)]
        return np.stack([self._one(*one, corners) for one in zip(pixels, targets, strict=True)])

    def _one(self, image: np.ndarray, target: int, corners: list[tuple[int, int]]) -> np.ndarray:
        """The map of one image: float32 (height, width)."""
        height, width, _ = image.shape
        whole = self.net.predict(masked(self.net, image, np.ones((1, height, width))))[0, target]
        total, times = np.zeros((2, height, width), "float32")
        for start in range(0, len(corners), CHUNK):
            part = corners[start : start + CHUNK]
            masks = np.ones((len(part), height, width), "float32")
            for mask, (row, column) in zip(masks, part, strict=True):
                mask[row : row + self.patch, column : column + self.patch] = 0
            falls = whole - self.net.predict(masked(self.net, image, masks))[:, target]
            total += np.tensordot(falls, 1 - masks, (0, 0))
            times += (1 - masks).sum(axis=0)
        # A stride longer than the patch leaves gaps.
        return total / np.maximum(times, 1)

    def _starts(self, side: int) -> list[int]:
        """Where squares begin along a side; the last one ends at the edge."""
        return sorted({*range(0, side - self.patch, self.stride), side - self.patch})

    def blank(self, values: np.ndarray) -> str:
        """Covering lowers the probability nowhere."""
        if not values.any():
            return "the probability of this class is the same whatever part is covered"
        return "whatever part is covered, the probability of this class does not fall"
