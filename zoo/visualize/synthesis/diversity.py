"""How much images of one target are alike."""

from __future__ import annotations

from typing import Any


def likeness(features: Any, group: int) -> Any:
    """How like each image is to the others of its group: the mean cosine of their Gram matrices.

    Olah et al., "Feature Visualization", 2017, "Diversity": which channels are active together at the same
    places, wherever that is, as for style in Gatys et al., 2016.

    Args:
        features: a tensor float32 (n, rows, columns, channels), or (n, channels); n is a multiple of the group.
        group: images that stand one after the other and belong together, at least two.

    Returns:
        A tensor float32 (n,), -1 to 1.
    """
    from keras import ops

    count, channels = features.shape[0] // group, features.shape[-1]
    flat = ops.reshape(features, (count * group, -1, channels))
    grams = ops.reshape(ops.matmul(ops.transpose(flat, (0, 2, 1)), flat), (count, group, channels * channels))
    units = grams / ops.sqrt(ops.sum(ops.square(grams), axis=-1, keepdims=True) + 1e-12)
    cosines = ops.matmul(units, ops.transpose(units, (0, 2, 1)))
    # Less the cosine with itself, which is 1.
    return ops.reshape((ops.sum(cosines, axis=-1) - 1) / (group - 1), (-1,))
