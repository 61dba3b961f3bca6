"""The weights of layers as kernels, whatever kind of layer they are of."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from zoo import visualize
from zoo.core.errors import UsageError
from zoo.visualize.activation_maps.kernels import kernels_of
from zoo.visualize.network.inspected_model import InspectedModel


def network(*steps, shape=(16, 16, 3), name="little"):
    pixels = keras.Input(shape)
    x = pixels
    for step in steps:
        x = step(x)
    return keras.Model(pixels, x, name=name)


@pytest.fixture(scope="module")
def several():
    return InspectedModel(
        network(
            layers.Rescaling(1 / 127.5, offset=-1, name="scaled"),
            layers.ZeroPadding2D(1, name="pad"),
            layers.Conv2D(8, (3, 5), name="first"),
            layers.ReLU(name="active"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="depth"),
            layers.SeparableConv2D(6, 3, name="separable"),
            layers.Conv2D(4, 3, groups=2, name="grouped"),
            layers.Conv2DTranspose(5, 2, name="up"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(2, name="head"),
        )
    )


def weights(subject, layer, number=0):
    return np.asarray(subject.tensor(layer)._keras_history.operation.weights[number])


def test_the_first_convolution_is_taken_without_a_name(several):
    found = kernels_of(several)
    assert (found.layer, found.kind, found.rgb) == ("first", "Conv2D", True)
    assert found.weights.dtype == np.float32
    assert (found.weights == weights(several, "first")).all()


def test_depthwise_filters_see_one_channel_each(several):
    found = kernels_of(several, "depth").weights
    assert found.shape == (3, 3, 1, 16)
    assert (found[:, :, 0, 2 * 3 + 1] == weights(several, "depth")[:, :, 3, 1]).all()


def test_separable_layers_show_their_depthwise_part(several):
    found = kernels_of(several, "separable").weights
    assert found.shape == (3, 3, 1, 16)
    assert (found[:, :, 0] == weights(several, "separable")[..., 0]).all()


def test_grouped_and_transposed_layers(several):
    assert kernels_of(several, "grouped").weights.shape == (3, 3, 3, 4)
    assert not kernels_of(several, "grouped").rgb
    up = kernels_of(several, "up").weights
    assert up.shape == (2, 2, 4, 5)
    assert (up[:, :, 1, 2] == weights(several, "up")[:, :, 2, 1]).all()


@pytest.mark.parametrize(
    ("layer", "near"), [("active", "first and depth"), ("scaled", "that have are first"), ("head", "that have are up")]
)
def test_a_layer_without_kernels_is_a_sentence_with_near_names(several, layer, near):
    with pytest.raises(UsageError, match=f"{layer} of little has no kernels; the nearest .*{near}"):
        kernels_of(several, layer)


def test_a_layer_that_is_not_there_is_a_sentence(several):
    with pytest.raises(UsageError, match="Did you mean 'depth"):
        kernels_of(several, "dept")


def test_a_network_without_convolutions_is_a_sentence():
    with pytest.raises(UsageError, match="no convolution"):
        kernels_of(InspectedModel(network(layers.Flatten(), layers.Dense(2))))


def test_colours_are_red_green_blue_whatever_the_network_takes_first():
    swapped = network(
        layers.Lambda(lambda x: x[..., ::-1] - 100.0, output_shape=(16, 16, 3)), layers.Conv2D(4, 3, name="conv")
    )
    subject = InspectedModel(swapped)
    found = kernels_of(subject)
    assert found.rgb
    assert (found.weights == weights(subject, "conv")[:, :, ::-1]).all()


def test_three_channels_that_mix_colours_are_no_colours():
    found = kernels_of(
        InspectedModel(network(layers.Conv2D(3, 1, name="mix"), layers.Conv2D(2, 3, name="next"))), "next"
    )
    assert found.weights.shape[2] == 3 and not found.rgb


def test_inner_layers_of_a_nested_network():
    inner = network(layers.Conv2D(3, 3, name="conv"), name="inner")
    outer = network(layers.Rescaling(1 / 255), inner, layers.GlobalAveragePooling2D(), name="outer")
    found = kernels_of(InspectedModel(outer), "conv")
    assert found.layer == "inner/conv" and found.rgb


def test_from_python_it_is_an_array():
    made = network(layers.Conv2D(2, 3, name="conv"))
    assert (visualize.filters(made) == np.asarray(made.get_layer("conv").kernel)).all()
    assert visualize.filters(InspectedModel(made), "conv").shape == (3, 3, 3, 2)
