"""Networks built by hand, of which it is known where their classes are in an image."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

SIDE = 64


def noise(count: int = 2, side: int = SIDE, channels: int = 3) -> np.ndarray:
    """Images that have something everywhere: uint8 (count, side, side, channels)."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, channels), dtype="uint8")


def quadrant(row: int, column: int, side: int = SIDE) -> np.ndarray:
    """1 in a quarter of an image, 0 elsewhere: float32 (side, side)."""
    half = side // 2
    mask = np.zeros((side, side), "float32")
    mask[row * half : (row + 1) * half, column * half : (column + 1) * half] = 1
    return mask


def of_quadrants(*masks: np.ndarray, channels: int = 3) -> keras.Model:
    """A network of as many classes as masks, and one more for none; each class sees what is in its mask.

    Edges in all directions are found by kernels without a mean, so that a flat colour gives nothing.
    """
    rng = np.random.default_rng(1)
    pixels = keras.Input((*masks[0].shape, channels))
    x = layers.Rescaling(1 / 255)(pixels)
    edges = layers.Conv2D(6, 3, padding="same", activation="relu", use_bias=False, name="edges")(x)
    seen = [edges * mask[None, :, :, None] for mask in masks]
    x = layers.Concatenate(name="seen")(seen) if len(seen) > 1 else seen[0]
    x = layers.Conv2D(4 * len(masks), 1, use_bias=False, groups=len(masks), name="mixed")(x)
    x = layers.ReLU(name="last_map")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    logits = layers.Dense(len(masks) + 1, name="logits")(x)
    model = keras.Model(pixels, layers.Softmax(name="softmax")(logits), name="quadrants")
    kernel = rng.normal(size=(3, 3, channels, 6))
    model.get_layer("edges").set_weights([kernel - kernel.mean(axis=(0, 1), keepdims=True)])
    model.get_layer("mixed").set_weights([rng.uniform(0.2, 1, model.get_layer("mixed").kernel.shape)])
    dense = np.zeros((4 * len(masks), len(masks) + 1))
    for number in range(len(masks)):
        dense[4 * number : 4 * number + 4, number] = rng.uniform(0.5, 1, 4)
    model.get_layer("logits").set_weights([dense, np.zeros(len(masks) + 1)])
    return model


def randomised(model: keras.Model, seed: int = 0) -> keras.Model:
    """The same network with random weights and biases, and statistics that are not flat."""
    rng = np.random.default_rng(seed)
    ranges = {"gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "mean": (-0.2, 0.2), "moving_mean": (-0.2, 0.2)}
    for weight in model.weights:
        low, high = ranges.get(weight.name, (-0.1, 0.1))
        if "variance" in weight.name:
            low, high = 0.5, 1.5
        elif "kernel" in weight.name:
            high = np.sqrt(6 / max(1, np.prod(weight.shape[:-1])))
            low = -high
        if weight.dtype.startswith("float"):
            weight.assign(rng.uniform(low, high, weight.shape))
    return model


def base(side: int = 32) -> keras.Model:
    """A small network in the manner of MobileNetV2: normalisation, ReLU6, depthwise kernels, a residual."""
    pixels = keras.Input((side, side, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(pixels)
    x = layers.BatchNormalization(name="stem_bn")(x)
    entry = layers.ReLU(6.0, name="stem_relu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu6", name="depthwise")(entry)
    x = layers.Conv2D(8, 1, name="project")(x)
    x = layers.Add(name="add")([entry, x])
    x = layers.Conv2D(12, 3, strides=2, padding="same", name="head")(x)
    return keras.Model(pixels, layers.Activation("relu", name="out_relu")(x), name="base")


def fine_tuned(nested: bool, side: int = 32) -> keras.Model:
    """Scaling, that base, pooling and a classifier; the base as one layer, or its layers one by one."""
    inner = base(side)
    pixels = keras.Input((side, side, 3), name="pixels_in")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)
    x = inner(x, training=False) if nested else layer_by_layer(inner, x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(4, activation="softmax", name="classes")(x)
    return randomised(keras.Model(pixels, outputs, name="fine_tuned"))


def layer_by_layer(inner: keras.Model, x: object) -> object:
    """The same layers without a network around them."""
    for layer in inner.layers[1:4]:
        x = layer(x)
    entry = x
    x = inner.get_layer("project")(inner.get_layer("depthwise")(x))
    x = inner.get_layer("add")([entry, x])
    return inner.get_layer("out_relu")(inner.get_layer("head")(x))
