"""Eigen-CAM: what most of a layer's channels have in common, whatever the class."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import Method


class EigenCam(Method):
    """Muhammad and Yeasin, "Eigen-CAM", 2020 (arXiv:2008.00299), equations 3 to 5.

    The activations, places by channels, are projected on their first right singular vector. It needs no gradient, and
    is the same for every class: it shows what the layer sees, which need not be what the class is decided by.
    """

    name = "eigencam"
    title = "Eigen-CAM"
    paper = "Muhammad and Yeasin 2020, arXiv:2008.00299"
    has_layer = True

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The layer's output along its principal direction; more where activations are large."""
        assert self.layer is not None
        activations = self.subject.activations(self.layer, pixels)
        return np.stack([_principal(image) for image in activations])

    def blank(self, values: np.ndarray) -> str:
        """Nothing is active."""
        return f"{self.layer} gives nothing but 0 for this image, so that its channels have nothing in common"


def _principal(activations: np.ndarray) -> np.ndarray:
    """The projection of (rows, columns, channels) on its first principal direction: (rows, columns)."""
    rows, columns, channels = activations.shape
    places = activations.reshape(rows * columns, channels)
    _, _, directions = np.linalg.svd(places, full_matrices=False)
    projected = places @ directions[0]
    # A direction has no sign of its own.
    along = projected @ np.linalg.norm(places, axis=1)
    found: np.ndarray = (-projected if along < 0 else projected).reshape(rows, columns)
    return found
