"""Eigen-CAM."""

from __future__ import annotations

import numpy as np

from zoo.visualize.explain.base import Method


class EigenCam(Method):
    """Muhammad and Yeasin, "Eigen-CAM", 2020 (arXiv:2008.00299), equations 3 to 5.

    The activations, places by channels, are projected on their first right singular vector. The map is the same for
    every class: it shows what the layer responds to, not what the class depends on.
    """

    name = "eigencam"
    title = "Eigen-CAM"
    paper = "Muhammad and Yeasin 2020, arXiv:2008.00299"
    summary = "the first principal component of a layer's activations, *whatever the class*"
    has_layer = True

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The activations along their principal direction."""
        assert self.layer is not None
        return np.stack([_project(image) for image in self.net.activations(self.layer, pixels)])

    def blank(self, values: np.ndarray) -> str:
        """All activations are 0."""
        return f"{self.layer} gives nothing but 0 for this image, so that its channels have nothing in common"


def _project(activations: np.ndarray) -> np.ndarray:
    """The projection of (rows, columns, channels) on its first principal direction: (rows, columns)."""
    rows, columns, channels = activations.shape
    places = activations.reshape(rows * columns, channels)
    _, _, directions = np.linalg.svd(places, full_matrices=False)
    projected = places @ directions[0]
    # The sign of a singular vector is arbitrary: strong activations are positive here.
    along = projected @ np.linalg.norm(places, axis=1)
    found: np.ndarray = (-projected if along < 0 else projected).reshape(rows, columns)
    return found
