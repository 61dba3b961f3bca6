"""Inputs of networks, and the preprocessing inside the graph: from raw RGB pixels, 0-255, to what it was trained on.

The input is float32, not uint8: Keras casts what comes in to the input's type, which is exact for bytes and would
truncate fractions the other way round. Only operations that plain Keras saves and loads are used. The arithmetic is
not folded into the first convolution, because zero padding comes after it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from zoo.core.spec import GREY, Preprocessing


def raw_input(shape: tuple[int, int, int]) -> Any:
    """The input tensor of a network: float32 ``(batch, height, width, 3)``, RGB 0-255."""
    return keras.Input(shape, dtype="float32", name="image")


def network_input(input_shape: tuple[int, int, int], input_tensor: Any) -> tuple[Any, Any]:
    """The inputs of a model, and the tensor that its first layer takes.

    Args:
        input_shape: height, width and channels of a new input.
        input_tensor: a Keras tensor to build upon instead, or ``None``; the inputs are then those it comes from.
    """
    if input_tensor is not None:
        return keras.utils.get_source_inputs(input_tensor), input_tensor
    image = keras.Input(input_shape, name="image")
    return image, image


def preprocess(x: Any, preprocessing: Preprocessing) -> Any:
    """Apply ``(x[order] - mean) / std`` to a symbolic tensor of raw pixels.

    Shape and dtype stay, except that ``"grey"`` leaves one channel of three.
    """
    if preprocessing.identity:
        return x
    if preprocessing.order == "bgr":
        x = ops.flip(x, axis=-1)
    elif preprocessing.order == "grey":
        red, green, blue = (x[..., channel : channel + 1] for channel in range(3))
        x = ops.add(ops.add(ops.multiply(red, GREY[0]), ops.multiply(blue, GREY[2])), ops.multiply(green, GREY[1]))
    if not any(preprocessing.mean) and all(std == 1.0 for std in preprocessing.std):
        return x
    scale = [1.0 / std for std in preprocessing.std]
    offset = [-mean / std for mean, std in zip(preprocessing.mean, preprocessing.std, strict=True)]
    # float32 also under a mixed-precision policy: half precision has no digits left at 255.
    return layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")(x)
