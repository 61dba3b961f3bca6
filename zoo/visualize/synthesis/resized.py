"""A part of a model for images of another size."""

from __future__ import annotations

import keras


def resized(part: keras.Model, height: int, width: int) -> keras.Model | None:
    """The layers of a functional model of one input, with the same weights, called on images of another size.

    ``None`` if its layers take one size only, such as dense layers on a flattened map, position embeddings and fixed
    reshapings.
    """
    source = part.inputs[0]
    if tuple(source.shape[1:3]) == (height, width):
        return part
    pixels = keras.Input((height, width, source.shape[3]), dtype=source.dtype)
    try:
        return keras.models.clone_model(part, input_tensors=pixels, clone_function=lambda layer: layer)
    except (ValueError, TypeError):
        return None
