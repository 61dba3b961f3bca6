"""Capsules against the paper's equations, written out in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.layers.capsule import length, longest, route, squash

needs_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape")


def slow_squash(x):
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return norm**2 / (1 + norm**2) * x / norm


def slow_route(votes, iterations):
    """Procedure 1, capsule by capsule."""
    batch, lower, higher, dimensions = votes.shape
    logits = np.zeros((batch, lower, higher))
    for _ in range(iterations):
        weights = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        capsules = np.empty((batch, higher, dimensions))
        for image in range(batch):
            for j in range(higher):
                total = sum(weights[image, i, j] * votes[image, i, j] for i in range(lower))
                capsules[image, j] = slow_squash(total)
        logits = logits + (votes * capsules[:, None]).sum(-1)
    return capsules


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e3])
def test_squash(scale):
    x = numbers(5, 7, 8) * scale
    y = array(squash(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(y, slow_squash(x.astype("float64")), rtol=1e-3 if scale < 1 else 1e-5)
    assert np.linalg.norm(y, axis=-1).max() <= 1


def test_length():
    x = numbers(4, 3, 16)
    np.testing.assert_allclose(array(length(ops.convert_to_tensor(x))), np.linalg.norm(x, axis=-1), rtol=1e-5)


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
def test_route(iterations):
    votes = numbers(3, 6, 4, 5)
    expected = slow_route(votes.astype("float64"), iterations)
    np.testing.assert_allclose(array(route(ops.convert_to_tensor(votes), iterations)), expected, rtol=1e-4, atol=1e-6)
    if iterations > 1:
        assert np.abs(expected - slow_route(votes.astype("float64"), iterations - 1)).max() > 1e-3


def test_longest():
    capsules = numbers(4, 3, 2)
    lengths = np.array([[0.1, 0.9, 0.2], [0.5, 0.4, 0.3], [0.0, 0.0, 0.1], [0.3, 0.3, 0.2]], "float32")
    kept = array(longest(ops.convert_to_tensor(capsules), ops.convert_to_tensor(lengths)))
    for image, best in enumerate([1, 0, 2, 0]):
        assert np.array_equal(kept[image, best], capsules[image, best])
        assert not np.delete(kept[image], best, axis=0).any()


@needs_tensorflow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_at_zero_are_finite(dtype):
    import tensorflow as tf

    votes = tf.zeros((2, 6, 4, 5), dtype)
    with tf.GradientTape() as tape:
        tape.watch(votes)
        loss = tf.reduce_sum(length(route(votes, 3)))
    assert np.isfinite(tape.gradient(loss, votes)).all()


@needs_tensorflow
def test_the_gradient_takes_the_weights_of_the_votes_as_given():
    """As if the last weighted sum were all there is."""
    import tensorflow as tf

    votes = tf.constant(numbers(2, 6, 4, 5))
    capsules = slow_route(votes.numpy().astype("float64"), 2)
    logits = (votes.numpy() * slow_route(votes.numpy().astype("float64"), 1)[:, None]).sum(-1)
    logits += (votes.numpy() * capsules[:, None]).sum(-1)
    weights = tf.constant((np.exp(logits) / np.exp(logits).sum(-1, keepdims=True))[..., None].astype("float32"))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(votes)
        routed = tf.reduce_sum(route(votes, 3) ** 3)
        given = tf.reduce_sum(squash(tf.reduce_sum(weights * votes, axis=1)) ** 3)
    np.testing.assert_allclose(tape.gradient(routed, votes), tape.gradient(given, votes), rtol=1e-3, atol=1e-6)
