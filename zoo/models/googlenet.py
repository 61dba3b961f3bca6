"""GoogLeNet, the first Inception network: filters of three sizes side by side, and a single dense layer.

Layers have the names of Caffe's ``bvlc_googlenet``, with ``_`` for ``/``, so that its weights load as NumPy arrays; the
last one, ``loss3/classifier`` in Caffe, is ``predictions``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import caffe_layers, head
from zoo.models.inputs import network_input

#: Filters of each module: 1×1; 3×3 and what reduces its input; 5×5 and what reduces its input; after pooling.
Widths = tuple[int, int, int, int, int, int]
PAPER: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
#: The graph that TensorFlow's authors published in 2015 ("inception5h") differs from the paper in two numbers. Its
#: 13,462,015 constants, with 1,008 outputs and both auxiliary heads, are the 13,461,996 parameters of this network and
#: 19 axes and shapes of the graph.
TENSORFLOW: dict[str, Widths] = {**PAPER, "4a": (192, 96, 204, 16, 48, 64), "5a": (256, 160, 320, 48, 128, 128)}
VARIANTS = {"paper": PAPER, "tensorflow": TENSORFLOW}


def _conv(x: Any, filters: int, size: int, name: str, strides: int = 1, initializer: Any = "he_uniform") -> Any:
    """Padded convolution with ReLU."""
    if strides > 1:
        # The same margin on all sides, as in Caffe; "same" would put more of it at the end.
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        activation="relu",
        kernel_initializer=initializer,
        name=name,
    )(x)


def _pool(x: Any, name: str, strides: int = 2) -> Any:
    """Max pooling, 3×3."""
    return layers.MaxPooling2D(3, strides=strides, padding="same", name=name)(x)


def _inception(x: Any, widths: Widths, name: str) -> Any:
    """Four branches side by side."""
    single, reduce3, three, reduce5, five, project = widths
    branch1 = _conv(x, single, 1, f"{name}_1x1")
    branch3 = _conv(x, reduce3, 1, f"{name}_3x3_reduce")
    branch3 = _conv(branch3, three, 3, f"{name}_3x3")
    branch5 = _conv(x, reduce5, 1, f"{name}_5x5_reduce")
    branch5 = _conv(branch5, five, 5, f"{name}_5x5")
    pooled = _pool(x, f"{name}_pool", strides=1)
    pooled = _conv(pooled, project, 1, f"{name}_pool_proj")
    return layers.Concatenate(name=f"{name}_output")([branch1, branch3, branch5, pooled])


def _auxiliary(x: Any, classes: int, activation: str | None, name: str) -> Any:
    """An auxiliary classifier on an early feature map, which adds a gradient to the layers before it."""
    # An image smaller than 80 pixels leaves less than the paper's window.
    x = layers.AveragePooling2D(min(5, *x.shape[1:3]), strides=3, name=f"{name}_ave_pool")(x)
    x = _conv(x, 128, 1, f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, activation="relu", kernel_initializer="he_uniform", name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_drop_fc")(x)
    return head.classifier(classes, activation, f"{name}_classifier")(x)


def GoogLeNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (224, 224, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    training: bool = False,
    variant: str = "paper",
    dropout: float = 0.4,
    name: str = "googlenet",
) -> keras.Model:
    """Build GoogLeNet: 6,998,552 parameters with 1,000 classes; 13,378,280 with the two auxiliary heads.

    Args:
        input_shape: height, width and channels; height and width at least 32.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global average pooling and the dense layer are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 32).
        classifier_activation: activation of the last layer, ``None`` for logits.
        training: whether the network has its auxiliary heads, as outputs two and three, after modules 4a and 4d.
            The paper adds their losses with a weight of 0.3 each. Only with the top.
        variant: ``"paper"``, or ``"tensorflow"`` for the widths of TensorFlow's graph of 2015.
        dropout: share of the pooled features that dropout zeroes in training, 0 to 1.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, BGR less the mean, to probabilities
        ``(batch, classes)``, to a list of three of them in training, or to features without the top.

    Raises:
        ValueError: an unknown variant.

    Source: Szegedy et al., Going deeper with convolutions (2014), table 1.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant is 'paper' or 'tensorflow'. Received: variant={variant!r}")
    widths = VARIANTS[variant]
    source, inputs = network_input(input_shape, input_tensor)
    first = caffe_layers.first_initializer("uniform")
    auxiliary = []

    # Stem, stride 8
    x = _conv(inputs, 64, 7, "conv1_7x7_s2", strides=2, initializer=first)
    x = _pool(x, "pool1_3x3_s2")
    x = caffe_layers.normalize(x, "pool1_norm1")
    x = _conv(x, 64, 1, "conv2_3x3_reduce")
    x = _conv(x, 192, 3, "conv2_3x3")
    x = caffe_layers.normalize(x, "conv2_norm2")
    x = _pool(x, "pool2_3x3_s2")

    # Modules at stride 8
    x = _inception(x, widths["3a"], "inception_3a")
    x = _inception(x, widths["3b"], "inception_3b")
    x = _pool(x, "pool3_3x3_s2")

    # Modules at stride 16
    x = _inception(x, widths["4a"], "inception_4a")
    if training and include_top:
        auxiliary.append(_auxiliary(x, classes, classifier_activation, "loss1"))
    x = _inception(x, widths["4b"], "inception_4b")
    x = _inception(x, widths["4c"], "inception_4c")
    x = _inception(x, widths["4d"], "inception_4d")
    if training and include_top:
        auxiliary.append(_auxiliary(x, classes, classifier_activation, "loss2"))
    x = _inception(x, widths["4e"], "inception_4e")
    x = _pool(x, "pool4_3x3_s2")

    # Modules at stride 32
    x = _inception(x, widths["5a"], "inception_5a")
    x = _inception(x, widths["5b"], "inception_5b")

    # Head
    if include_top:
        x = layers.GlobalAveragePooling2D(name="pool5_7x7_s1")(x)
        x = layers.Dropout(dropout, name="pool5_drop_7x7_s1")(x)
        x = head.classifier(classes, classifier_activation)(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, [x, *auxiliary] if auxiliary else x, name=name)
