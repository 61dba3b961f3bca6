"""Local response normalisation."""

from __future__ import annotations

from typing import Any

from keras import layers, ops


def local_response_normalization(
    x: Any,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    name: str | None = None,
) -> Any:
    """Local response normalisation across channels of (batch, height, width, channels), as ``tf.nn``'s.

    ``y[c] = x[c] / (bias + alpha * sum(x[c - depth_radius : c + depth_radius + 1] ** 2)) ** beta``, zero-padded. In
    Caffe, ``local_size`` is n = ``2 * depth_radius + 1`` and ``alpha: 0.0001`` is ``alpha=0.0001 / n`` here; the paper
    (Krizhevsky, Sutskever and Hinton, 2012, section 3.3) does not divide. From stock operations, as an average pooling.
    """
    window = 2 * depth_radius + 1
    # In float32 also under a mixed-precision policy: squares of activations exceed what float16 holds.
    squares = ops.square(ops.cast(x, "float32"))
    squares = ops.expand_dims(ops.pad(squares, ((0, 0), (0, 0), (0, 0), (depth_radius, depth_radius))), -1)
    means = ops.squeeze(ops.average_pool(squares, (1, 1, window), strides=1, padding="valid"), -1)
    divisor = ops.add(ops.multiply(means, alpha * window), bias)
    return layers.Multiply(name=name)([x, ops.power(divisor, -beta)])
