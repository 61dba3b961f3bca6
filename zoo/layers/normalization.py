"""Local response normalisation, which the networks before BatchNorm had."""

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
    """Divide every value by what its neighbouring channels have at the same place.

    ``y[c] = x[c] / (bias + alpha * sum(x[c - depth_radius : c + depth_radius + 1] ** 2)) ** beta``, where channels
    beyond the first and the last count as zero. The arguments and their defaults are those of
    ``tf.nn.local_response_normalization``.

    Caffe counts otherwise: its ``local_size`` n is ``2 * depth_radius + 1``, and it divides its alpha by n, so that
    ``alpha: 0.0001`` of a Caffe file is ``alpha=0.0001 / n`` here. Krizhevsky's paper does not divide.

    It is made of stock operations, so that plain Keras loads a network that has it. The sum is a pooling along the
    channels: exact, and of the ways that were measured the quickest that stores no matrix.

    Args:
        x: symbolic tensor (batch, height, width, channels), the sizes known or not.
        depth_radius: neighbours on each side, 0 or more.
        bias: what keeps the divisor from zero.
        alpha: weight of the sum of squares.
        beta: exponent of the divisor.
        name: name of the last layer; a number of Keras's own without.

    Returns:
        Symbolic tensor of the same shape, in the dtype in which layers compute.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks (2012),
    section 3.3.
    """
    window = 2 * depth_radius + 1
    # In float32 also under a mixed-precision policy: squares of activations exceed what float16 holds.
    squares = ops.square(ops.cast(x, "float32"))
    squares = ops.expand_dims(ops.pad(squares, ((0, 0), (0, 0), (0, 0), (depth_radius, depth_radius))), -1)
    means = ops.squeeze(ops.average_pool(squares, (1, 1, window), strides=1, padding="valid"), -1)
    divisor = ops.add(ops.multiply(means, alpha * window), bias)
    return layers.Multiply(name=name)([x, ops.power(divisor, -beta)])
