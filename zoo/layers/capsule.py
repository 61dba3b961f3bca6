"""Capsules and their routing, from stock operations (Sabour, Frosst and Hinton, 2017, arXiv 1710.09829)."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

#: Keeps the square roots, and their gradients, finite at zero.
EPSILON = 1e-7


def squash(x: Any) -> Any:
    """Scale vectors (…, dimensions) to ``|x|² / (1 + |x|²) * x / |x|``, equation 1; the gradient is finite at zero."""
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    factor = ops.divide(squares, ops.multiply(ops.add(squares, 1.0), ops.sqrt(ops.add(squares, EPSILON))))
    return ops.multiply(x, factor)


def length(x: Any) -> Any:
    """Length of the vectors of the last axis: float tensor (…, dimensions) to (…), finite gradient at zero."""
    return ops.sqrt(ops.add(ops.sum(ops.square(x), axis=-1), EPSILON))


def route(votes: Any, iterations: int) -> Any:
    """Dynamic routing, procedure 1: votes (batch, lower, higher, dimensions) to squashed (batch, higher, dimensions).

    Only the last iteration has a gradient.
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
    """Keep the longest capsule, (batch, capsules, dimensions), of each image and set the others to zero."""
    mask = ops.one_hot(ops.argmax(lengths, axis=-1), lengths.shape[-1], dtype="float32")
    return layers.Multiply(name="longest_capsule")([capsules, ops.expand_dims(mask, -1)])
