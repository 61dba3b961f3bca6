"""What layers make of an image, and which layers give an overview."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.reports.plots.test_image_grid import clear_edges, count
from zoo import visualize
from zoo.core.errors import UsageError
from zoo.core.spec import Stage
from zoo.visualize.activation_maps import feature_maps
from zoo.visualize.activation_maps.feature_maps import FeatureMaps
from zoo.visualize.activation_maps.feature_sheet import feature_sheet
from zoo.visualize.network.inspected_model import InspectedModel


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255, name="scaled")(pixels)
    for size in (8, 4, 2):
        for number in range(9):
            x = layers.Conv2D(4, 3, padding="same", name=f"conv{size}_{number}")(x)
            x = layers.ReLU(name=f"relu{size}_{number}")(x)
        x = layers.MaxPooling2D(name=f"pool{size}")(x)
    x = layers.Dense(2, activation="softmax", name="head")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, x, name="little")


def image(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)


def test_from_python_it_is_what_keras_gives(network):
    pixels = np.stack([image(0), image(1)])
    expected = keras.Model(network.input, network.get_layer("relu4_3").output).predict(pixels.astype("float32"))
    found = visualize.activations(network, pixels, "relu4_3")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert visualize.activations(network, image(), "head").shape == (1, 2)


def test_without_images_there_is_nothing_to_compute(network):
    with pytest.raises(UsageError, match="no images"):
        visualize.activations(network, [], "relu4_3")


def test_several_layers_in_one_run(network):
    subject = InspectedModel(network)
    names = ["relu4_3", "scaled"]
    first, second = feature_maps.feature_maps(subject, names, image())
    assert (first.layer, second.layer) == ("relu4_3", "scaled")
    np.testing.assert_allclose(first.values, subject.activations("relu4_3", image()[None])[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second.values, image() / 255, atol=1e-6)


def test_an_overview_has_every_size_in_running_order(network):
    subject = InspectedModel(network)
    names = feature_maps.overview(subject)
    assert feature_maps.OVERVIEW - 3 <= len(names) <= feature_maps.OVERVIEW
    assert {subject.tensor(name).shape[1] for name in names} == {16, 8, 4}
    assert names == sorted(names, key=list(subject.flat.tensors).index)
    assert {"relu8_0", "relu8_8", "relu4_8", "relu2_8"} <= set(names)
    assert not [name for name in names if not name.startswith("relu")]


def test_an_overview_has_all_stages(network):
    stages = (Stage("a", "pool8", 2, 4), Stage("b", "conv2_1", 4, 4))
    assert {"pool8", "conv2_1"} <= set(feature_maps.overview(InspectedModel(network, stages=stages)))


def test_a_network_without_maps_has_no_overview():
    pixels = keras.Input((4, 4, 3))
    with pytest.raises(UsageError, match="no layer whose output has rows"):
        feature_maps.overview(InspectedModel(keras.Model(pixels, layers.Dense(2)(layers.Flatten()(pixels)))))


def test_layers_without_rows_and_columns_are_refused(network):
    with pytest.raises(UsageError, match=r"head of little gives \(2,\).*relu2_8"):
        InspectedModel(network).require_map("head", " to draw")


def test_strong_channels_come_first_and_silent_ones_are_counted():
    values = np.zeros((2, 2, 4), "float32")
    values[..., 1], values[0, 0, 3] = -5, 4
    found = FeatureMaps("little", "conv", values)
    assert list(found.strongest) == [1, 3, 0, 2]
    assert found.silent == 2


@pytest.mark.parametrize("normalize", ["channel", "layer"])
@pytest.mark.parametrize("size", [(7, 7, 30), (1, 9, 3), (112, 112, 4)])
def test_any_layer_fits_a_page(normalize, size):
    values = np.random.default_rng(0).normal(size=size).astype("float32")
    found = [FeatureMaps("little", "signed", values), FeatureMaps("little", "relu", np.maximum(values, 0))]
    assert clear_edges(feature_sheet("a.jpg", image(), found, normalize=normalize, limit=12))


def test_a_layers_scale_leaves_weak_channels_dark():
    values = np.ones((7, 7, 2), "float32")
    values[..., 1] = 0.01
    found = [FeatureMaps("little", "relu", values)]
    pale = (252, 255, 164)
    own, shared = (count(feature_sheet("a", image(), found, normalize=how), pale) for how in ("channel", "layer"))
    assert own - shared == 112 * 112


def test_minus_is_blue_where_a_layer_has_two_signs():
    values = np.ones((7, 7, 2), "float32")
    values[..., 1] = -1
    drawn = feature_sheet("a", image(), [FeatureMaps("little", "add", values)])
    assert count(drawn, (0x00, 0x30, 0x4D)) >= 112 * 112 and count(drawn, (0x5C, 0x28, 0x00)) >= 112 * 112


def test_an_overview_begins_with_the_first_weights():
    pixels = keras.Input((16, 16, 3))
    grey = keras.ops.mean(pixels * 0.5 + 1.0, axis=-1, keepdims=True)
    x = layers.Conv2D(4, 3, name="conv")(grey)
    x = layers.ReLU(name="active")(x)
    assert feature_maps.overview(InspectedModel(keras.Model(pixels, layers.Flatten()(x)))) == ["active"]
