"""ResNet-9: a small residual network for small images.

The layout follows David Page's DAWNBench entry for CIFAR-10 ("How to train your ResNet", 2018), with a
quarter to a half of its width, ReLU, and no scaling of the logits.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import head
from zoo.models.inputs import network_input


def _conv_bn(x: Any, filters: int, name: str) -> Any:
    """3×3 convolution without a bias (BatchNorm has one), BatchNorm, ReLU."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.95, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _residual(x: Any, filters: int, name: str) -> Any:
    """Two convolutions beside a shortcut: ``x + f(f(x))``."""
    y = _conv_bn(x, filters, f"{name}_1")
    y = _conv_bn(y, filters, f"{name}_2")
    return layers.Add(name=f"{name}_add")([x, y])


def ResNet9(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (32, 32, 3),
    *,
    input_tensor: Any = None,
    classes: int = 10,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    width: int = 32,
    name: str = "resnet9",
) -> keras.Model:
    """Build ResNet-9 with ``width`` filters in its first layer and ``8 * width`` in its last.

    Args:
        input_shape: height, width and channels; height and width at least 8.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global max pooling and the dense layer are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 8).
        classifier_activation: activation of the last layer, ``None`` for logits.
        width: filters of the first convolution; 32 gives 1,648,362 parameters with ten classes.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, already standardised, to
        probabilities ``(batch, classes)``, or to features without the top.
    """
    source, inputs = network_input(input_shape, input_tensor)

    # Stem
    x = _conv_bn(inputs, width, "stem")

    # Stage 1, stride 2
    x = _conv_bn(x, 2 * width, "stage1")
    x = layers.MaxPooling2D(name="stage1_pool")(x)
    x = _residual(x, 2 * width, "stage1_res")

    # Stage 2, stride 4
    x = _conv_bn(x, 4 * width, "stage2")
    x = layers.MaxPooling2D(name="stage2_pool")(x)

    # Stage 3, stride 8
    x = _conv_bn(x, 8 * width, "stage3")
    x = layers.MaxPooling2D(name="stage3_pool")(x)
    x = _residual(x, 8 * width, "stage3_res")

    # Head
    if include_top:
        x = layers.GlobalMaxPooling2D(name="max_pool")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name)
