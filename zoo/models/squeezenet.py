"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters, from "fire" modules without a dense layer.

Version 1.1 (2016) has a smaller first layer and pools earlier: 2.4 times less work at the same accuracy. Layers have
the names of the authors' Caffe files, with ``_`` for ``/``.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.models import head
from zoo.models.inputs import network_input

#: Filters of the squeezing layer and of each of the two expanding ones, from ``fire2`` to ``fire9``.
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))

#: Filters and size of ``conv1``, and the layers that are followed by pooling.
VERSIONS = {
    "1.0": (96, 7, ("conv1", "fire4", "fire8")),
    "1.1": (64, 3, ("conv1", "fire3", "fire5")),
}


def _conv(x: Any, filters: int, size: int, name: str) -> Any:
    """Convolution that keeps the size, with ReLU."""
    return layers.Conv2D(
        filters, size, padding="same", activation="relu", kernel_initializer="he_uniform", name=name
    )(x)  # fmt: skip


def _fire(x: Any, squeeze: int, expand: int, name: str) -> Any:
    """Few channels first, then many from two sizes of kernel."""
    x = _conv(x, squeeze, 1, f"{name}_squeeze1x1")
    small = _conv(x, expand, 1, f"{name}_expand1x1")
    large = _conv(x, expand, 3, f"{name}_expand3x3")
    return layers.Concatenate(name=f"{name}_concat")([small, large])


def _pool(x: Any, name: str) -> Any:
    """Max pooling, 3×3 with stride 2, whose last window may reach over the edge, as in Caffe ("ceil mode").

    A margin of zeros does that: after ReLU no value is below them.
    """
    margins = tuple((0, (side - 3) % 2) for side in x.shape[1:3])
    if margins != ((0, 0), (0, 0)):
        x = layers.ZeroPadding2D(margins, name=f"{name}_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name=name)(x)


def SqueezeNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (224, 224, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    version: str = "1.1",
    dropout: float = 0.5,
    name: str = "squeezenet",
) -> keras.Model:
    """Build SqueezeNet: 1,248,424 parameters in version 1.0 and 1,235,496 in version 1.1, with 1,000 classes.

    Args:
        input_shape: height, width and channels; height and width at least 21 (1.0) or 17 (1.1).
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether the last convolution, a filter for each class, and the mean over its map are part of
            the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map of stride 16).
        classifier_activation: activation of the last layer, ``None`` for logits (which are not negative, because the
            last convolution has a ReLU).
        version: ``"1.0"``, which is the paper's, or ``"1.1"``.
        dropout: share of the last feature map that dropout zeroes in training, 0 to 1.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, already standardised, to probabilities
        ``(batch, classes)``, or to features without the top.

    Raises:
        ValueError: an unknown version.

    Source: Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size (2016).
    """
    if version not in VERSIONS:
        raise ValueError(f"version is '1.0' or '1.1'. Received: version={version!r}")
    filters, size, pooled = VERSIONS[version]
    source, inputs = network_input(input_shape, input_tensor)

    # Stem, without padding
    x = layers.Conv2D(
        filters, size, strides=2, activation="relu", kernel_initializer="he_uniform", name="conv1"
    )(inputs)  # fmt: skip
    x = _pool(x, "pool1")

    # Fire modules, to stride 16
    for number, (squeeze, expand) in enumerate(FIRES, start=2):
        x = _fire(x, squeeze, expand, f"fire{number}")
        if f"fire{number}" in pooled:
            x = _pool(x, f"pool{number}")

    # Head
    if include_top:
        x = layers.Dropout(dropout, name="drop9")(x)
        narrow = keras.initializers.RandomNormal(stddev=0.01)
        x = layers.Conv2D(classes, 1, activation="relu", kernel_initializer=narrow, name="conv10")(x)
        x = layers.GlobalAveragePooling2D(name="pool10")(x)
        # float32 also under a mixed-precision policy: probabilities need the digits.
        x = layers.Activation(classifier_activation or "linear", dtype="float32", name="predictions")(x)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name)
