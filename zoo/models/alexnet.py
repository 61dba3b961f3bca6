"""AlexNet: five convolutions, two of them normalised, and three dense layers.

The layout is that of Caffe's ``bvlc_alexnet``: one column, with two groups in the second, fourth and fifth convolution
where the paper had two GPUs, and normalisation before pooling (after it in ``bvlc_reference_caffenet``). Layers have
Caffe's names, so that its weights load as NumPy arrays; the last one, ``fc8`` in Caffe, is ``predictions``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import caffe_layers, head
from zoo.models.inputs import network_input


def _conv(
    x: Any, filters: int, size: int, name: str, *, strides: int = 1, groups: int = 1, initializer: Any = "he_normal"
) -> Any:
    """Convolution with ReLU. Padded to keep the size, except where it has strides."""
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        groups=groups,
        activation="relu",
        kernel_initializer=initializer,
        name=name,
    )(x)


def AlexNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (227, 227, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    dropout: float = 0.5,
    name: str = "alexnet",
) -> keras.Model:
    """Build AlexNet: 60,965,224 parameters with 1,000 classes at 227×227.

    Args:
        input_shape: height, width and channels; height and width at least 67. The first dense layer depends on them.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether the three dense layers are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 32).
        classifier_activation: activation of the last layer, ``None`` for logits.
        dropout: share of ``fc6`` and ``fc7`` that dropout zeroes in training, 0 to 1.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, BGR less the mean, to probabilities
        ``(batch, classes)``, or to features without the top.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks (2012).
    """
    source, inputs = network_input(input_shape, input_tensor)
    first = caffe_layers.first_initializer("untruncated_normal")

    # Block 1, stride 8
    x = _conv(inputs, 96, 11, "conv1", strides=4, initializer=first)
    x = caffe_layers.normalize(x, "norm1")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)

    # Block 2, stride 16
    x = _conv(x, 256, 5, "conv2", groups=2)
    x = caffe_layers.normalize(x, "norm2")
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)

    # Blocks 3 to 5, stride 32
    x = _conv(x, 384, 3, "conv3")
    x = _conv(x, 384, 3, "conv4", groups=2)
    x = _conv(x, 256, 3, "conv5", groups=2)
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)

    # Head
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", kernel_initializer="he_normal", name="fc6")(x)
        x = layers.Dropout(dropout, name="drop6")(x)
        x = layers.Dense(4096, activation="relu", kernel_initializer="he_normal", name="fc7")(x)
        x = layers.Dropout(dropout, name="drop7")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name)
