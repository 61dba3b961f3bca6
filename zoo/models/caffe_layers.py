"""Layers of networks from Caffe's model zoo, which take pixels minus their mean and normalise local responses."""

from __future__ import annotations

from typing import Any

import keras

from zoo.layers.normalization import local_response_normalization

#: Standard deviation of a pixel, about, on the scale 0-255; the first layer begins by dividing by it.
PIXEL_DEVIATION = 58


def first_initializer(distribution: str) -> keras.Initializer:
    """He's initializer for the first layer, whose inputs are that far from a deviation of one.

    Args:
        distribution: ``"untruncated_normal"`` or ``"uniform"``, as the layers that follow have it.
    """
    return keras.initializers.VarianceScaling(2 / PIXEL_DEVIATION**2, distribution=distribution)


def normalize(x: Any, name: str) -> Any:
    """Local response normalisation over five channels with Caffe's alpha of 0.0001, which it divides by five."""
    return local_response_normalization(x, depth_radius=2, bias=1.0, alpha=1e-4 / 5, beta=0.75, name=name)
