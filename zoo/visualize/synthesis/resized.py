"""A part of a network for images of another size, where its layers allow that."""

from __future__ import annotations

from typing import Any

import keras


def resized(part: keras.Model, height: int, width: int) -> keras.Model | None:
    """The same layers, with the same weights, called on images of another size.

    Convolutions, pooling and normalisation take any size; dense layers upon a flattened map, position embeddings and
    fixed reshapings do not.

    Args:
        part: a functional network of one input (n, height, width, channels).
        height: of the images.
        width: of the images.

    Returns:
        A network with the same outputs at that size; ``None`` where there can be none.
    """
    source = part.inputs[0]
    if tuple(source.shape[1:3]) == (height, width):
        return part
    pixels = keras.Input((height, width, source.shape[3]), dtype=source.dtype)
    try:
        return keras.models.clone_model(part, input_tensors=pixels, clone_function=_itself)
    except (ValueError, TypeError):
        return None


def _itself(layer: Any) -> Any:
    return layer
