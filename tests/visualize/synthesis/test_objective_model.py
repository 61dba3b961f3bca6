"""The number that is raised is that of the network, before a ReLU where there is one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.visualize.networks import fine_tuned, noise
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis.objective_model import ObjectiveModel, leaky
from zoo.visualize.synthesis.objectives.class_logit import ClassLogit
from zoo.visualize.synthesis.objectives.filter import Filter
from zoo.visualize.synthesis.objectives.neuron import Neuron
from zoo.visualize.synthesis.resized import resized


@pytest.fixture(scope="module")
def subject():
    return InspectedModel(fine_tuned(nested=True))


def chosen(objective, pixels, target):
    return objective.scores(pixels)[:, objective.positions([target])[0]]


def test_a_filter_is_the_mean_of_its_map(subject):
    target = Filter(3, "base/head")
    expected = subject.activations("head", noise(side=32))[..., 3].mean(axis=(1, 2))
    assert chosen(ObjectiveModel(subject, target, 32), noise(side=32), target) == pytest.approx(expected, rel=1e-4)


def test_a_neuron_is_one_value_of_it(subject):
    target = Neuron(3, "base/head", (2, 5))
    expected = subject.activations("head", noise(side=32))[:, 2, 5, 3]
    assert chosen(ObjectiveModel(subject, target, 32), noise(side=32), target) == pytest.approx(expected, rel=1e-4)


def test_a_class_is_its_logit(subject):
    target = ClassLogit(1)
    logits = ObjectiveModel(subject, target, 32).scores(noise(side=32))
    assert np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) == pytest.approx(
        subject.predict(noise(side=32)), rel=1e-4
    )


def test_filters_see_a_image_in_its_own_size_and_others_in_the_networks(subject):
    assert ObjectiveModel(subject, Filter(0, "base/head"), 48).input_size == (48, 48)
    assert ObjectiveModel(subject, Neuron(0, "base/head", (0, 0)), 48).input_size == (32, 32)
    assert ObjectiveModel(subject, ClassLogit(0), 48).input_size == (32, 32)


def test_layers_that_take_one_size_get_it():
    pixels = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 16, 3), name="fixed")(layers.Conv2D(4, 3, padding="same")(pixels)[..., :3])
    network = keras.Model(pixels, layers.Dense(2)(layers.Flatten()(layers.Conv2D(5, 3, name="conv")(x))))
    objective = ObjectiveModel(InspectedModel(network), Filter(1, "conv"), 64)
    assert objective.input_size == (16, 16)
    assert objective.scores(noise(side=64)).shape == (2, 5)


def test_the_same_weights_work_at_another_size(subject):
    part = subject.part("head")
    other = resized(part, 64, 48)
    assert other.output.shape == (None, 16, 12, 12)
    assert resized(part, 32, 32) is part
    whole = np.random.default_rng(0).uniform(0, 255, (1, 64, 48, 3)).astype("float32")
    # Far from the rim a map does not know how large the image is.
    small, large = part.predict_on_batch(whole[:, :32, :32]), other.predict_on_batch(whole)
    assert small[0, 1:6, 1:6] == pytest.approx(large[0, 1:6, 1:6], rel=1e-3, abs=1e-3)


def of_kind(kind):
    pixels = keras.Input((8, 8, 3))
    conv = layers.Conv2D(4, 3, bias_initializer="ones")
    if kind == "layer":
        return keras.Model(pixels, layers.ReLU(6.0)(conv(pixels)))
    if kind == "activation":
        return keras.Model(pixels, layers.Activation("relu")(conv(pixels)))
    if kind == "within":
        return keras.Model(pixels, layers.DepthwiseConv2D(3, activation="relu6", bias_initializer="ones")(conv(pixels)))
    if kind == "operation":
        return keras.Model(pixels, ops.relu(conv(pixels)))
    if kind == "pooled":
        return keras.Model(pixels, layers.MaxPooling2D()(layers.ReLU()(conv(pixels))))
    parts = [layers.Conv2D(2, 3, activation="relu")(pixels), layers.ReLU()(conv(pixels))]
    return keras.Model(pixels, layers.Concatenate()(parts))


@pytest.mark.parametrize("kind", ["layer", "activation", "within", "operation", "pooled", "concatenated"])
def test_relu_leaks_and_has_no_limit(kind):
    network = of_kind(kind)
    changed = keras.Model(network.input, leaky(network.output))
    pixels = np.random.default_rng(0).standard_normal((40, 8, 8, 3)).astype("float32") * 5
    found, after = changed.predict_on_batch(pixels), network.predict_on_batch(pixels)
    limit = 6 if kind in ("layer", "within") else None
    assert found.min() < 0 and (limit is None or found.max() > limit)
    assert np.clip(found, 0, limit) == pytest.approx(after, abs=1e-4)


def test_what_does_not_end_in_relu_is_itself(subject):
    for name in ("base/add", "base/project", "pool"):
        assert leaky(subject.tensor(name)) is subject.tensor(name)


def test_what_a_image_costs_grows_with_its_area(subject):
    small, large = (ObjectiveModel(subject, Filter(0, "base/head"), side).bytes for side in (32, 64))
    assert small > 4 * 16 * 16 * 8 and large == 4 * small
