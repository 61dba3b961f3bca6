"""ResNet-18 and ResNet-34: residual networks with two 3×3 convolutions a block. Layers are named as in Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import head
from zoo.models.inputs import network_input

#: Blocks in each of the stages conv2 to conv5, by depth.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


def shortcut(x: Any, filters: int, strides: int, kind: str, name: str) -> Any:
    """The shortcut of a block, in the block's output shape.

    Args:
        x: symbolic tensor (batch, height, width, channels).
        filters: output channels, at least as many as ``x`` has.
        strides: subsampling of rows and columns.
        kind: ``"A"``, parameter-free: the pixels themselves, and zeros for the channels that ``x`` lacks; or ``"B"``,
            a 1×1 convolution with BatchNorm, called ``{name}_0_conv`` and ``{name}_0_bn``.
        name: prefix of the layers' names.

    Raises:
        ValueError: another kind.

    Source: He et al., Deep residual learning for image recognition (2015), section 3.3.
    """
    if kind not in ("A", "B"):
        raise ValueError(f"shortcut is 'A' or 'B'. Received: shortcut={kind!r}")
    missing = filters - x.shape[-1]
    if strides == 1 and not missing:
        return x
    if kind == "B":
        x = layers.Conv2D(
            filters, 1, strides=strides, use_bias=False, kernel_initializer="he_normal", name=f"{name}_0_conv"
        )(x)  # fmt: skip
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_0_bn")(x)
    # Windows of one pixel: every second pixel of every second row, by a layer that has a name.
    x = layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_subsample")(x)
    # With "channels_first" the layer takes the last axis for the width, and so pads the channels.
    return layers.ZeroPadding2D(((0, 0), (0, missing)), data_format="channels_first", name=f"{name}_0_pad")(x)


def _conv_bn(x: Any, filters: int, strides: int, name: str) -> Any:
    """3×3 convolution without a bias (BatchNorm has one), and BatchNorm."""
    if strides > 1:
        # The same margin on all sides, as in the original; "same" would put all of it at the end.
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = layers.Conv2D(
        filters,
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def basic_block(x: Any, filters: int, strides: int, kind: str, name: str) -> Any:
    """Two convolutions beside a shortcut, and ReLU after the sum: ``relu(shortcut(x) + f(x))``."""
    y = _conv_bn(x, filters, strides, f"{name}_1")
    y = layers.ReLU(name=f"{name}_1_relu")(y)
    y = _conv_bn(y, filters, 1, f"{name}_2")
    x = shortcut(x, filters, strides, kind, name)
    x = layers.Add(name=f"{name}_add")([x, y])
    return layers.ReLU(name=f"{name}_out")(x)


def ResNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (224, 224, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    depth: int = 18,
    shortcut: str = "B",
    name: str | None = None,
) -> keras.Model:
    """Build ResNet-18 (11,699,112 parameters) or ResNet-34 (21,814,696), with 1,000 classes and shortcuts B.

    Args:
        input_shape: height, width and channels; height and width at least 32.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global average pooling and the dense layer are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 32).
        classifier_activation: activation of the last layer, ``None`` for logits.
        depth: layers with weights, 18 or 34.
        shortcut: ``"A"``, without parameters, or ``"B"``, a projection where shapes differ.
        name: name of the Keras model; ``resnet`` and the depth if omitted.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, already standardised, to probabilities
        ``(batch, classes)``, or to features without the top.

    Raises:
        ValueError: an unknown depth or shortcut.

    Source: He et al., Deep residual learning for image recognition (2015), table 1.
    """
    if depth not in BLOCKS:
        raise ValueError(f"depth is 18 or 34. Received: depth={depth}")
    source, inputs = network_input(input_shape, input_tensor)

    # Stem, stride 4
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, kernel_initializer="he_normal", name="conv1_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)

    # Stages conv2 to conv5, strides 4 to 32
    for stage, count in enumerate(BLOCKS[depth], start=2):
        for block in range(1, count + 1):
            strides = 2 if stage > 2 and block == 1 else 1
            x = basic_block(x, 16 * 2**stage, strides, shortcut, f"conv{stage}_block{block}")

    # Head
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name or f"resnet{depth}")
