"""Inception-v4: uniform Inception modules after a branching stem, without residual connections.

Where the paper and its authors' code differ in the order of a 1×7 and a 7×1 convolution, this follows the code, which
the published weights belong to.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import head
from zoo.models.inputs import network_input


def _conv(
    x: Any, filters: int, size: int | tuple[int, int], name: str, *, strides: int = 1, padding: str = "same"
) -> Any:
    """Convolution without a bias, BatchNorm without a scale (ReLU passes one on to the next layer), ReLU."""
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(scale=False, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(name=name)(x)


def _halve(x: Any, filters: int, name: str) -> Any:
    """3×3 convolution with stride 2, without padding."""
    return _conv(x, filters, 3, name, strides=2, padding="valid")


def _stem(x: Any) -> Any:
    """From 299×299×3 to 35×35×384: figure 3 of the paper."""
    x = _halve(x, 32, "stem1_3x3_s2")
    x = _conv(x, 32, 3, "stem2_3x3", padding="valid")
    x = _conv(x, 64, 3, "stem3_3x3")
    pooled = layers.MaxPooling2D(3, strides=2, name="stem4_pool")(x)
    x = layers.Concatenate(name="stem4")([pooled, _halve(x, 96, "stem4_3x3_s2")])
    short = _conv(x, 64, 1, "stem5_a_1x1")
    short = _conv(short, 96, 3, "stem5_a_3x3", padding="valid")
    long = _conv(x, 64, 1, "stem5_b_1x1")
    long = _conv(long, 64, (1, 7), "stem5_b_1x7")
    long = _conv(long, 64, (7, 1), "stem5_b_7x1")
    long = _conv(long, 96, 3, "stem5_b_3x3", padding="valid")
    x = layers.Concatenate(name="stem5")([short, long])
    pooled = layers.MaxPooling2D(3, strides=2, name="stem6_pool")(x)
    return layers.Concatenate(name="stem6")([_halve(x, 192, "stem6_3x3_s2"), pooled])


def _mean_pool(x: Any, filters: int, name: str) -> Any:
    """The branch that every module has: the mean over 3×3, then 1×1."""
    x = layers.AveragePooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    return _conv(x, filters, 1, f"{name}_pool_1x1")


def _inception_a(x: Any, name: str) -> Any:
    """Module at 35×35: figure 4."""
    single = _conv(x, 96, 1, f"{name}_a_1x1")
    three = _conv(x, 64, 1, f"{name}_b_1x1")
    three = _conv(three, 96, 3, f"{name}_b_3x3")
    five = _conv(x, 64, 1, f"{name}_c_1x1")
    five = _conv(five, 96, 3, f"{name}_c_3x3_1")
    five = _conv(five, 96, 3, f"{name}_c_3x3_2")
    return layers.Concatenate(name=name)([single, three, five, _mean_pool(x, 96, name)])


def _reduction_a(x: Any, name: str) -> Any:
    """From 35×35 to 17×17: figure 7."""
    pooled = layers.MaxPooling2D(3, strides=2, name=f"{name}_pool")(x)
    three = _halve(x, 384, f"{name}_a_3x3_s2")
    five = _conv(x, 192, 1, f"{name}_b_1x1")
    five = _conv(five, 224, 3, f"{name}_b_3x3")
    five = _halve(five, 256, f"{name}_b_3x3_s2")
    return layers.Concatenate(name=name)([three, five, pooled])


def _inception_b(x: Any, name: str) -> Any:
    """Module at 17×17: figure 5."""
    single = _conv(x, 384, 1, f"{name}_a_1x1")
    seven = _conv(x, 192, 1, f"{name}_b_1x1")
    seven = _conv(seven, 224, (1, 7), f"{name}_b_1x7")
    seven = _conv(seven, 256, (7, 1), f"{name}_b_7x1")
    twice = _conv(x, 192, 1, f"{name}_c_1x1")
    twice = _conv(twice, 192, (7, 1), f"{name}_c_7x1_1")
    twice = _conv(twice, 224, (1, 7), f"{name}_c_1x7_1")
    twice = _conv(twice, 224, (7, 1), f"{name}_c_7x1_2")
    twice = _conv(twice, 256, (1, 7), f"{name}_c_1x7_2")
    return layers.Concatenate(name=name)([single, seven, twice, _mean_pool(x, 128, name)])


def _reduction_b(x: Any, name: str) -> Any:
    """From 17×17 to 8×8: figure 8."""
    pooled = layers.MaxPooling2D(3, strides=2, name=f"{name}_pool")(x)
    three = _conv(x, 192, 1, f"{name}_a_1x1")
    three = _halve(three, 192, f"{name}_a_3x3_s2")
    seven = _conv(x, 256, 1, f"{name}_b_1x1")
    seven = _conv(seven, 256, (1, 7), f"{name}_b_1x7")
    seven = _conv(seven, 320, (7, 1), f"{name}_b_7x1")
    seven = _halve(seven, 320, f"{name}_b_3x3_s2")
    return layers.Concatenate(name=name)([three, seven, pooled])


def _inception_c(x: Any, name: str) -> Any:
    """Module at 8×8: figure 6."""
    single = _conv(x, 256, 1, f"{name}_a_1x1")
    fork = _conv(x, 384, 1, f"{name}_b_1x1")
    fork_row = _conv(fork, 256, (1, 3), f"{name}_b_1x3")
    fork_column = _conv(fork, 256, (3, 1), f"{name}_b_3x1")
    late = _conv(x, 384, 1, f"{name}_c_1x1")
    late = _conv(late, 448, (3, 1), f"{name}_c_3x1_1")
    late = _conv(late, 512, (1, 3), f"{name}_c_1x3_1")
    late_row = _conv(late, 256, (1, 3), f"{name}_c_1x3_2")
    late_column = _conv(late, 256, (3, 1), f"{name}_c_3x1_2")
    branches = [single, fork_row, fork_column, late_row, late_column, _mean_pool(x, 256, name)]
    return layers.Concatenate(name=name)(branches)


def InceptionV4(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (299, 299, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    dropout: float = 0.2,
    name: str = "inceptionv4",
) -> keras.Model:
    """Build Inception-v4: 42,711,400 parameters with 1,000 classes.

    Args:
        input_shape: height, width and channels; height and width at least 75.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global average pooling and the dense layer are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 32).
        classifier_activation: activation of the last layer, ``None`` for logits.
        dropout: share of the pooled features that dropout zeroes in training, 0 to 1.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, from -1 to 1, to probabilities
        ``(batch, classes)``, or to features without the top.

    Source: Szegedy et al., Inception-v4, Inception-ResNet and the impact of residual connections on learning (2016).
    """
    source, inputs = network_input(input_shape, input_tensor)

    # Stem, stride 8
    x = _stem(inputs)

    # Modules at stride 8
    for number in range(1, 5):
        x = _inception_a(x, f"inception_a{number}")

    # Modules at stride 16
    x = _reduction_a(x, "reduction_a")
    for number in range(1, 8):
        x = _inception_b(x, f"inception_b{number}")

    # Modules at stride 32
    x = _reduction_b(x, "reduction_b")
    for number in range(1, 4):
        x = _inception_c(x, f"inception_c{number}")

    # Head
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name)
