"""GoogLeNet: its auxiliary classifiers, and the published count of its parameters."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.models import find_layer
from zoo.models.googlenet import GoogLeNet


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    return GoogLeNet((64, 64, 3), classes=10, training=True)


def test_auxiliary_classifiers_are_outputs_of_the_network_in_training(trained: keras.Model) -> None:
    names = [tensor._keras_history.operation.name for tensor in trained.outputs]
    assert names == ["predictions", "loss1_classifier", "loss2_classifier"]
    outputs = trained.predict(np.random.default_rng(0).normal(0, 50, (2, 64, 64, 3)), verbose=0)
    for output in outputs:
        assert output.shape == (2, 10)
        np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)


def test_the_plain_network_takes_its_weights_by_name(trained: keras.Model) -> None:
    plain = GoogLeNet((64, 64, 3), classes=10)
    assert isinstance(plain.output_shape, tuple)
    for layer in plain.layers:
        layer.set_weights(trained.get_layer(layer.name).get_weights())
    x = np.random.default_rng(0).normal(0, 50, (2, 64, 64, 3))
    np.testing.assert_allclose(plain.predict(x, verbose=0), trained.predict(x, verbose=0)[0], atol=1e-6)
    more = {layer.name for layer in trained.layers} - {layer.name for layer in plain.layers if layer.weights}
    assert {name for name in more if trained.get_layer(name).weights} == {
        f"loss{head}_{part}" for head in (1, 2) for part in ("conv", "fc", "classifier")
    }


@pytest.mark.slow
def test_auxiliary_classifiers_teach_the_layers_before_them(trained: keras.Model) -> None:
    """Their loss alone moves what stands before them, and nothing behind."""
    trained.compile("sgd", ["sparse_categorical_crossentropy"] * 3, loss_weights=[0.0, 0.3, 0.0], jit_compile=False)
    before = {name: find_layer(trained, name).kernel.numpy() for name in ("conv1_7x7_s2", "inception_4b_1x1")}
    x, y = np.random.default_rng(0).normal(0, 1, (2, 64, 64, 3)), np.array([3, 4])
    trained.train_on_batch(x, [y, y, y])
    moved = {name: not np.array_equal(find_layer(trained, name).kernel, kernel) for name, kernel in before.items()}
    assert moved == {"conv1_7x7_s2": True, "inception_4b_1x1": False}


def test_features_have_no_auxiliary_classifiers() -> None:
    assert GoogLeNet((64, 64, 3), include_top=False, training=True).output_shape == (None, 2, 2, 1024)


@pytest.mark.slow
def test_published_counts() -> None:
    """With both heads and 1,008 outputs 13,462,015 were published: the constants in TensorFlow's graph of 2015.

    That graph has other widths in two places than the paper, and 19 constants that are no parameters: the axes of
    nine concatenations, and five shapes of two numbers.
    """
    assert GoogLeNet().count_params() == 6_998_552
    assert GoogLeNet(training=True).count_params() == 13_378_280
    graph = GoogLeNet(training=True, classes=1008, variant="tensorflow")
    assert graph.count_params() + 9 + 5 * 2 == 13_462_015
