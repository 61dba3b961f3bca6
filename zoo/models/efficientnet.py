"""What the networks of ``keras.applications`` need beyond what every network does."""

from __future__ import annotations

import re

import keras
import numpy as np

from zoo.core.spec import ModelSpec

#: Standard deviations of ImageNet's channels, on the scale 0-1, as Keras's EfficientNet has them.
IMAGENET_STD = (0.229, 0.224, 0.225)

_EFFICIENTNET = re.compile(r"keras\.applications:EfficientNetB\d")


def correct_normalization(model: keras.Model, spec: ModelSpec) -> None:
    """Make official EfficientNet B0-B7 weights mean what they meant in training.

    The published files hold the standard deviation where Keras's Normalization layer expects the variance, and
    Keras makes up for it with one more Rescaling layer, which it builds only when it downloads the weights
    itself. Loaded into any other graph they would silently give a different network. So where a file has these
    very numbers, they are squared; any other variance is left as it is.

    See https://github.com/tensorflow/tensorflow/issues/49930.
    """
    if not isinstance(spec.builder, str) or not _EFFICIENTNET.fullmatch(spec.builder):
        return
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    mean, variance, count = layer.get_weights()
    if np.allclose(variance, IMAGENET_STD, rtol=1e-3, atol=0.0):
        layer.set_weights([mean, variance * np.array(IMAGENET_STD, variance.dtype), count])
        layer.finalize_state()
