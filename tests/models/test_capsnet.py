"""CapsNet: counts, lengths for scores, a decoder that only training has, and files that plain Keras opens."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.layers.test_capsule import slow_route, slow_squash
from tests.models.test_fractional import READ_BACK, answers_of_openvino, save
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.models import create_model
from zoo.models.capsnet import CapsNet
from zoo.training import losses

SMALL = {"filters": 8}


def images(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype("float32")


def predict(model, x):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(x), training=False))


@pytest.fixture(autouse=True)
def same_weights_every_time():
    keras.utils.set_random_seed(0)


# Figures


def test_counts_of_the_paper():
    spec = registry.get("capsnet")
    plain = create_model("capsnet", None)
    assert plain.count_params() == spec.params == 6_804_224
    assert create_model("capsnet", None, training=True).count_params() == 8_215_568
    assert create_model("capsnet", None, include_top=False).count_params() == spec.params_no_top
    assert plain.input_shape == (None, 28, 28, 3)
    assert plain.get_layer("primary_vectors").output.shape == (None, 1152, 8)
    assert plain.get_layer("digit_capsules").output.shape == (None, 10, 16)
    assert spec.preprocessing.name == "grey"
    assert spec.recipe == "capsnet"


@pytest.mark.parametrize(("pooling", "shape"), [(None, (6, 6, 8)), ("avg", (8,)), ("max", (8,))])
def test_features(pooling, shape):
    assert CapsNet(include_top=False, pooling=pooling, **SMALL).output_shape[1:] == shape


# What it computes


@pytest.mark.parametrize("routings", [1, 3])
def test_capsules_are_those_of_the_paper(routings):
    """From the map of the second convolution on, capsule by capsule."""
    model = CapsNet(classes=4, routings=routings, **SMALL)
    x = images(2, 28, 28, 1)
    outputs = [model.get_layer(name).output for name in ("primary_capsules", "digit_capsules", "predictions")]
    primary, capsules, lengths = map(keras.ops.convert_to_numpy, keras.Model(model.input, outputs)(x))
    (kernel,) = model.get_layer("votes").get_weights()
    vectors = slow_squash(primary.astype("float64").reshape(2, -1, 8))
    votes = np.array([[[vectors[b, i] @ kernel[i, :, j] for j in range(4)] for i in range(36)] for b in range(2)])
    expected = slow_route(votes, routings)
    assert np.ptp(expected, axis=0).max() > 1e-3, "capsules do not depend on the image"
    np.testing.assert_allclose(capsules, expected, atol=1e-4)
    np.testing.assert_allclose(lengths, np.linalg.norm(expected, axis=-1), atol=5e-4)


def test_scores_are_lengths():
    model = CapsNet(**SMALL)
    scores = predict(model, images(4, 28, 28, 1))
    assert scores.dtype == "float32"
    assert scores.min() >= 0
    assert scores.max() <= 1
    # Nothing at all is in an empty image, whatever the biases say: they are zero at first.
    assert predict(model, np.zeros((1, 28, 28, 1), "float32")).max() < 1e-3
    assert not [layer for layer in model.layers if layer.name.startswith("decoder")]


def test_gradients_at_an_empty_image_are_finite():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients by TensorFlow's tape")
    import tensorflow as tf

    model = CapsNet(training=True, **SMALL)
    labels = np.eye(10, dtype="float32")[:2]
    with tf.GradientTape() as tape:
        lengths = model(tf.zeros((2, 28, 28, 1)), training=True)
        loss = losses.get("margin")(labels, lengths) + sum(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(model.losses) == 1
    assert all(np.isfinite(gradient).all() for gradient in gradients)


# Training


def test_the_network_for_training_has_a_decoder_and_the_same_answers():
    training, plain = CapsNet(training=True, **SMALL), CapsNet(**SMALL)
    for layer in plain.layers:
        if layer.weights:
            layer.set_weights(training.get_layer(layer.name).get_weights())
    x = images(3, 28, 28, 1)
    np.testing.assert_array_equal(predict(training, x), predict(plain, x))
    cut = keras.Model(training.input, training.get_layer("predictions").output)
    np.testing.assert_array_equal(predict(cut, x), predict(plain, x))
    extra = {layer.name for layer in training.layers if layer.weights} - {layer.name for layer in plain.layers}
    assert extra == {"decoder_fc1", "decoder_fc2", "decoder_pixels"}


def test_the_loss_of_the_paper():
    """Margin loss plus 0.0005 times the sum of squares, of what the longest capsule draws."""
    model = CapsNet(training=True, **SMALL)
    x, labels = images(3, 28, 28, 1), np.eye(10, dtype="float32")[[1, 2, 3]]
    drawn, capsules = (
        keras.ops.convert_to_numpy(keras.Model(model.input, model.get_layer(name).output)(x))
        for name in ("decoder_pixels", "digit_capsules")
    )
    model.compile(keras.optimizers.SGD(0.0), losses.get("margin"), jit_compile=False)
    margin = float(losses.get("margin")(labels, predict(model, x)))
    error = ((drawn - x.reshape(3, -1)) ** 2).sum(-1).mean()
    assert float(model.train_on_batch(x, labels)) == pytest.approx(margin + 0.0005 * error, rel=1e-4)

    best = np.linalg.norm(capsules, axis=-1).argmax(-1)
    masked = np.zeros_like(capsules)
    masked[range(3), best] = capsules[range(3), best]
    y = masked.reshape(3, -1)
    for name in ("decoder_fc1", "decoder_fc2"):
        kernel, bias = model.get_layer(name).get_weights()
        y = np.maximum(y @ kernel + bias, 0)
    kernel, bias = model.get_layer("decoder_pixels").get_weights()
    np.testing.assert_allclose(drawn, 1 / (1 + np.exp(-(y @ kernel + bias))), atol=1e-5)


@pytest.mark.parametrize("policy", [pytest.param("float32", marks=pytest.mark.slow), "mixed_bfloat16"])
def test_steps_lower_the_loss(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = CapsNet(training=True, **SMALL)
    finally:
        keras.config.set_dtype_policy("float32")
    x, labels = images(8, 28, 28, 1), np.eye(10, dtype="float32")
    model.compile(keras.optimizers.Adam(3e-3), losses.get("margin"), jit_compile=False)
    history = []
    for _ in range(12):
        model.reset_metrics()
        history.append(float(model.train_on_batch(x, labels[:8])))
    assert np.isfinite(history).all()
    assert history[-1] < 0.9 * history[0]
    assert model.get_layer("predictions").output.dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"), [({"filters": 12}, "a multiple of 8"), ({"routings": 0}, "at least 1. Received: 0")]
)
def test_what_makes_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        CapsNet(**options)


# Files and graphs


def test_nothing_but_stock_keras_is_saved():
    text = CapsNet(**SMALL).to_json()
    assert '"registered_name": "zoo' not in text
    assert '"module": "zoo' not in text


@pytest.mark.slow
def test_plain_keras_opens_it(tmp_path):
    save(create_model("capsnet", None), tmp_path / "capsnet")
    subprocess.run(
        [sys.executable, "-c", READ_BACK, "capsnet"],
        cwd=tmp_path,
        check=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )


@pytest.mark.slow
def test_openvino_agrees(tmp_path):
    model = create_model("capsnet", None)
    save(model, tmp_path / "a")
    for answers in answers_of_openvino("capsnet", model, tmp_path):
        np.testing.assert_allclose(answers, np.load(tmp_path / "a.y.npy"), atol=1e-4)
