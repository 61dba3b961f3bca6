"""Multiply-accumulates, counted by hand."""

import keras
import pytest
from keras import layers

from zoo.models import macs


def cost(layer, *shape):
    inputs = keras.Input(shape)
    return macs.multiply_accumulates(keras.Model(inputs, layer(inputs)))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (lambda: layers.Dense(7), (5,), 35),
        (lambda: layers.Dense(7), (3, 4, 5), 12 * 35),
        (lambda: layers.Conv2D(8, 3), (10, 10, 4), 64 * 9 * 4 * 8),
        (lambda: layers.Conv2D(8, 3, strides=2, padding="same"), (10, 10, 4), 25 * 9 * 4 * 8),
        (lambda: layers.Conv2D(8, 3, groups=2), (10, 10, 4), 64 * 9 * 2 * 8),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (10, 10, 4), 64 * 9 * 4 * 2),
        (lambda: layers.SeparableConv2D(8, 3), (10, 10, 4), 64 * (9 * 4 + 4 * 8)),
        (lambda: layers.Conv2DTranspose(8, 3, strides=2), (10, 10, 4), 100 * 9 * 4 * 8),
        (lambda: layers.SimpleRNN(6), (9, 5), 9 * (5 * 6 + 6 * 6)),
        (lambda: layers.TimeDistributed(layers.Dense(7)), (9, 5), 9 * 35),
        (lambda: layers.BatchNormalization(), (10, 10, 4), 0),
        (lambda: layers.MaxPooling2D(), (10, 10, 4), 0),
    ],
)
def test_by_hand(layer, shape, expected):
    assert cost(layer(), *shape) == expected


def test_networks_within_networks():
    inner = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    assert cost(inner, 4) == 12 + 6
