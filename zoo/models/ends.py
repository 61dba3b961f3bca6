"""Both ends of every network that is built here: what it begins with, and what becomes of its last feature map."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def begin(input_shape: tuple[int, int, int], input_tensor: Any) -> tuple[Any, Any]:
    """Where a network starts.

    Args:
        input_shape: height, width and channels of a new input.
        input_tensor: a Keras tensor to build upon instead, ``None`` for a new input.

    Returns:
        The inputs of the model, and the tensor that its first layer takes: the same, or ``input_tensor`` and the
        inputs that it comes from.
    """
    if input_tensor is not None:
        return keras.utils.get_source_inputs(input_tensor), input_tensor
    image = keras.Input(input_shape, name="image")
    return image, image


def classify(x: Any, classes: int, activation: str | None, name: str = "predictions") -> Any:
    """The last dense layer: ``(batch, channels)`` to float32 ``(batch, classes)``, logits without an activation."""
    return classifier(classes, activation, name)(x)


def classifier(classes: int, activation: str | None, name: str = "predictions") -> keras.Layer:
    """The layer of :func:`classify`, for networks that use it several times."""
    # float32 also under a mixed-precision policy: probabilities need the digits.
    return layers.Dense(classes, activation=activation, dtype="float32", name=name)


def pool(x: Any, pooling: str | None) -> Any:
    """A network without its top: its map, pooled to ``(batch, channels)`` for ``"avg"`` or ``"max"``."""
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="max_pool")(x)
    return x
