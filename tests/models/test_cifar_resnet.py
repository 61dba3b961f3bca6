"""The residual networks of two convolutions a block: their shortcuts, with and without parameters."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.models import find_layer
from zoo.models.cifar_resnet import CifarResNet
from zoo.models.resnet import ResNet, shortcut


def apply(kind: str, filters: int, strides: int, x: np.ndarray) -> np.ndarray:
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, shortcut(inputs, filters, strides, kind, "block"))
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


@pytest.mark.parametrize("strides", [1, 2])
def test_option_a_has_every_second_pixel_and_zeros(strides: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    y = apply("A", 7, strides, x)
    np.testing.assert_array_equal(y[..., :3], x[:, ::strides, ::strides])
    np.testing.assert_array_equal(y[..., 3:], 0)
    assert y.shape == (2, *x[:, ::strides, ::strides].shape[1:3], 7)


def test_the_shortcut_is_the_input_itself_where_shapes_agree() -> None:
    inputs = keras.Input((4, 4, 8))
    for kind in "AB":
        assert shortcut(inputs, 8, 1, kind, "block") is inputs


def test_option_b_adds_projections() -> None:
    plain, projected = CifarResNet(depth=8), CifarResNet(depth=8, shortcut="B")
    # 16 → 32 and 32 → 64, each with four numbers a channel for BatchNorm.
    assert projected.count_params() - plain.count_params() == 16 * 32 + 4 * 32 + 32 * 64 + 4 * 64
    assert find_layer(projected, "stage2_block1_0_conv").kernel.shape == (1, 1, 16, 32)
    assert ResNet((32, 32, 3), shortcut="A").count_params() == 11_523_496


def test_a_block_is_the_sum_of_shortcut_and_convolutions() -> None:
    """With convolutions that give nothing, a network without parameters in its shortcuts passes its input on."""
    network = CifarResNet((8, 8, 3), depth=8, include_top=False)
    for layer in network.layers:
        if layer.name.endswith("_2_bn"):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    stem, x = find_layer(network, "conv1_relu"), np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    values = keras.Model(network.input, [stem.output, network.output])(x)
    before, after = (keras.ops.convert_to_numpy(value) for value in values)
    np.testing.assert_allclose(after[..., :16], before[:, ::4, ::4], rtol=1e-6)
    np.testing.assert_array_equal(after[..., 16:], 0)


@pytest.mark.parametrize("depth", [2, 21])
def test_depths_that_there_are_not(depth: int) -> None:
    with pytest.raises(ValueError, match=f"Received: depth={depth}"):
        CifarResNet(depth=depth)
