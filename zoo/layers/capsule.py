"""Capsules and their routing, from stock operations, so that plain Keras loads networks that use them.

Source: Sabour, Frosst and Hinton, Dynamic Routing Between Capsules (2017), arXiv 1710.09829.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

#: Keeps the square roots, and their gradients, finite at zero.
EPSILON = 1e-7


def squash(x: Any) -> Any:
    """Scale the vectors of the last axis to a length below 1: ``|x|² / (1 + |x|²) * x / |x|``, equation 1.

    The gradient is finite at zero.

    Args:
        x: float tensor (…, dimensions).

    Returns:
        Tensor of the same shape.
    """
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    factor = ops.divide(squares, ops.multiply(ops.add(squares, 1.0), ops.sqrt(ops.add(squares, EPSILON))))
    return ops.multiply(x, factor)


def length(x: Any) -> Any:
    """Length of the vectors of the last axis: float tensor (…, dimensions) to (…), finite gradient at zero."""
    return ops.sqrt(ops.add(ops.sum(ops.square(x), axis=-1), EPSILON))


def route(votes: Any, iterations: int) -> Any:
    """Dynamic routing by agreement, procedure 1, unrolled. Only the last iteration has a gradient.

    Args:
        votes: float32 (batch, lower, higher, dimensions): the prediction of each lower capsule for each higher one.
        iterations: routing iterations, at least 1.

    Returns:
        float32 (batch, higher, dimensions), squashed.
    """
    given = ops.stop_gradient(votes)
    # At first all coupling coefficients are equal.
    higher = votes.shape[2]
    capsules = squash(ops.divide(ops.sum(votes if iterations == 1 else given, axis=1), higher))
    logits = None
    for iteration in range(2, iterations + 1):
        agreement = ops.sum(ops.multiply(given, ops.expand_dims(capsules, 1)), axis=-1, keepdims=True)
        logits = agreement if logits is None else ops.add(logits, agreement)
        weights = ops.stop_gradient(ops.softmax(logits, axis=2))
        weighted = ops.multiply(weights, votes if iteration == iterations else given)
        capsules = squash(ops.sum(weighted, axis=1))
    return capsules


def longest(capsules: Any, lengths: Any) -> Any:
    """Keep the longest capsule of each image and set the others to zero.

    Args:
        capsules: float (batch, capsules, dimensions).
        lengths: float (batch, capsules).

    Returns:
        float (batch, capsules, dimensions).
    """
    mask = ops.one_hot(ops.argmax(lengths, axis=-1), lengths.shape[-1], dtype="float32")
    return layers.Multiply(name="longest_capsule")([capsules, ops.expand_dims(mask, -1)])
