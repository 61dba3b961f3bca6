"""The last layers of networks: the classifier, or the pooled feature map without one."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def classifier(classes: int, activation: str | None, name: str = "predictions") -> keras.Layer:
    """The last dense layer: ``(batch, channels)`` to float32 ``(batch, classes)``; logits without an activation."""
    # float32 also under a mixed-precision policy: probabilities need the digits.
    return layers.Dense(classes, activation=activation, dtype="float32", name=name)


def pool(x: Any, pooling: str | None) -> Any:
    """The feature map, pooled to ``(batch, channels)`` for ``"avg"`` or ``"max"``."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="max_pool")(x)
    return x
