"""The similarity of images of one target, which is penalised."""

from __future__ import annotations

from typing import Any


def similarity(features: Any, group: int) -> Any:
    """The mean cosine similarity of each image's Gram matrix to the others of its group: a tensor float32 (n,).

    Olah et al., "Feature Visualization", 2017, "Diversity". ``features`` are float32 (n, rows, columns, channels) or
    (n, channels); ``group`` consecutive images, at least two, belong together.
    """
    from keras import ops

    count, channels = features.shape[0] // group, features.shape[-1]
    flat = ops.reshape(features, (count * group, -1, channels))
    grams = ops.reshape(ops.matmul(ops.transpose(flat, (0, 2, 1)), flat), (count, group, channels * channels))
    units = grams / ops.sqrt(ops.sum(ops.square(grams), axis=-1, keepdims=True) + 1e-12)
    cosines = ops.matmul(units, ops.transpose(units, (0, 2, 1)))
    # Without the similarity to itself, which is 1.
    return ops.reshape((ops.sum(cosines, axis=-1) - 1) / (group - 1), (-1,))
