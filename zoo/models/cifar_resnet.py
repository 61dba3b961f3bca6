"""The residual networks for CIFAR-10: three stages of equal depth at 32, 16 and 8 pixels, 20 to 110 layers deep."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import head
from zoo.models.inputs import network_input
from zoo.models.resnet import basic_block


def CifarResNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (32, 32, 3),
    *,
    input_tensor: Any = None,
    classes: int = 10,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    depth: int = 20,
    width: int = 16,
    shortcut: str = "A",
    name: str | None = None,
) -> keras.Model:
    """Build a residual network of ``depth`` = 6n + 2 layers, n blocks a stage.

    Parameters with the paper's ten classes, 16 filters in the first stage and shortcuts A, moving statistics included:
    271,098 at depth 20, 466,426 at 32, 661,754 at 44, 857,082 at 56 and 1,736,058 at 110.

    Args:
        input_shape: height, width and channels; height and width at least 8.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global average pooling and the dense layer are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 4).
        classifier_activation: activation of the last layer, ``None`` for logits.
        depth: layers with weights: 8, 14, 20, 26, …
        width: filters of the first stage; the others have twice and four times as many.
        shortcut: ``"A"``, without parameters, or ``"B"``, a projection where shapes differ.
        name: name of the Keras model; ``cifar_resnet`` and the depth if omitted.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, already standardised, to probabilities
        ``(batch, classes)``, or to features without the top.

    Raises:
        ValueError: an unknown depth or shortcut.

    Source: He et al., Deep residual learning for image recognition (2015), section 4.2.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth is 6n + 2, such as 20, 32, 44, 56 or 110. Received: depth={depth}")
    source, inputs = network_input(input_shape, input_tensor)

    # Stem
    x = layers.Conv2D(
        width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="conv1_conv"
    )(inputs)  # fmt: skip
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)

    # Stages, strides 1, 2 and 4
    for stage in range(1, 4):
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = basic_block(x, width * 2 ** (stage - 1), strides, shortcut, f"stage{stage}_block{block}")

    # Head
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name or f"cifar_resnet{depth}")
