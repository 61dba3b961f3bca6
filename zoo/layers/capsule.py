"""Capsules: groups of neurons whose length says whether something is there, and whose direction says how.

Source: Sabour, Frosst and Hinton, Dynamic Routing Between Capsules (2017), arXiv 1710.09829. All of it is stock
operations, so that plain Keras loads a network that has it.
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

#: Keeps the square roots, and their gradients, finite at zero.
EPSILON = 1e-7


def squash(x: Any) -> Any:
    """Shorten the vectors of the last axis to less than 1: short ones to almost nothing, long ones to almost 1.

    ``|x|² / (1 + |x|²) * x / |x|``, equation 1. A vector of zeros stays one, and its gradient is finite.

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
    """Let every lower capsule send its vote to the higher capsules that it agrees with, procedure 1.

    The iterations are unrolled. Only the last one has a gradient, as in most implementations: what came before
    decides how the votes are weighted, and the weights count as given.

    Args:
        votes: float32 (batch, lower, higher, dimensions): what each lower capsule predicts of each higher one.
        iterations: how often the weights are computed, at least 1.

    Returns:
        float32 (batch, higher, dimensions), squashed.
    """
    given = ops.stop_gradient(votes)
    # All weights are equal at first: every lower capsule divides 1 among the higher ones.
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
