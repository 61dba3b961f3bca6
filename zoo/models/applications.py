"""What the networks of ``keras.applications`` need beyond what every network does."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np

from zoo.spec import ModelSpec

#: Standard deviations of ImageNet's channels, on the scale 0-1, as Keras's EfficientNet has them.
IMAGENET_STD = (0.229, 0.224, 0.225)

_EFFICIENTNET = re.compile(r"keras\.applications:EfficientNetB\d")


def is_application(spec: ModelSpec) -> bool:
    """Whether Keras's own builder makes this network."""
    return isinstance(spec.builder, str) and spec.builder.startswith("keras.applications:")


def settle_names(model: keras.Model) -> None:
    """Number the layers that Keras named by itself as in a process that builds nothing else.

    Keras counts over the life of the process, so that ``conv2d_3`` of one InceptionV3 is ``conv2d_97`` of the
    next. Here the numbers begin with zero again, and a layer has one name everywhere.
    """
    automatic: dict[str, list[tuple[int, Any]]] = {}
    for operation in model.operations:
        prefix, _, number = operation.name.rpartition("_")
        if not number.isdecimal():
            prefix, number = operation.name, "0"
        # Keras's own names are the class in snake case, which this recognises without spelling it.
        if prefix.replace("_", "") == type(operation).__name__.lower():
            automatic.setdefault(prefix, []).append((int(number), operation))
    for prefix, found in automatic.items():
        for count, (_, operation) in enumerate(sorted(found, key=lambda pair: pair[0])):
            operation.name = f"{prefix}_{count}" if count else prefix


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
