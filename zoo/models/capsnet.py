"""CapsNet: a convolutional network whose last layers are capsules, with routing between them."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from zoo.core.errors import UsageError
from zoo.layers.auxiliary import ReconstructionLoss
from zoo.layers.capsule import length, longest, route, squash
from zoo.models import head
from zoo.models.inputs import network_input


def CapsNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (28, 28, 1),
    *,
    input_tensor: Any = None,
    classes: int = 10,
    include_top: bool = True,
    pooling: str | None = None,
    training: bool = False,
    filters: int = 256,
    routings: int = 3,
    reconstruction_weight: float = 0.0005,
    name: str = "capsnet",
) -> keras.Model:
    """Build CapsNet: 6,804,224 parameters with ten classes on 28×28 grey pixels, 8,215,568 with the decoder.

    The output is the length of each class's capsule, from 0 to 1; the lengths of an image need not add up to 1. The
    network is trained with the margin loss, and has no logits.

    Args:
        input_shape: height, width and channels; height and width at least 17.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs, each a capsule of 16 dimensions.
        include_top: whether the digit capsules are part of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (the map of primary capsules, before they are
            squashed).
        training: whether to add the decoder, which reconstructs the input from the capsules as a regulariser, and its
            loss. The paper's decoder takes the capsule of the true class; here it is the longest one, because labels
            do not enter the graph. Only with the top.
        filters: of both convolutions, a multiple of 8; the second makes primary capsules of 8 dimensions of them.
        routings: iterations of the routing, at least 1.
        reconstruction_weight: of the decoder's sum of squared errors.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, 0 to 1, to lengths ``(batch, classes)``,
        float32, or to features without the top.

    Raises:
        UsageError: an argument out of range.

    Source: Sabour, Frosst and Hinton, Dynamic Routing Between Capsules (2017), arXiv 1710.09829.
    """
    if filters % 8 or filters < 8:
        raise UsageError(f"filters is a multiple of 8, the dimensions of a primary capsule. Received: {filters}")
    if routings < 1:
        raise UsageError(f"routings is at least 1. Received: {routings}")
    source, inputs = network_input(input_shape, input_tensor)

    # Convolution
    # It has 256 outputs for one input: Keras's default, which scales by both, would make them far too small.
    x = layers.Conv2D(filters, 9, activation="relu", kernel_initializer="he_normal", name="conv1")(inputs)

    # Primary capsules
    x = layers.Conv2D(filters, 9, strides=2, name="primary_capsules")(x)

    # Digit capsules
    if include_top:
        lower = math.prod(x.shape[1:]) // 8
        # float32 also under a mixed-precision policy, and so is the routing: squares and long sums need the digits.
        x = squash(layers.Reshape((lower, 8), dtype="float32", name="primary_vectors")(x))
        votes = layers.EinsumDense(
            "blp,lphd->blhd", (lower, classes, 16), kernel_initializer=_capsule_initializer(), name="votes"
        )(x)
        capsules = layers.Identity(dtype="float32", name="digit_capsules")(route(ops.cast(votes, "float32"), routings))
        x = layers.Identity(dtype="float32", name="predictions")(length(capsules))
        if training:
            x = _decode(x, capsules, inputs, reconstruction_weight)
    else:
        x = head.pool(x, pooling)
    return keras.Model(source, x, name=name)


def _decode(lengths: Any, capsules: Any, image: Any, weight: float) -> Any:
    """Reconstruct the image from the longest capsule, add the error to the loss, and return the lengths."""
    pixels = math.prod(image.shape[1:])
    x = layers.Flatten(name="decoder_input")(longest(capsules, lengths))
    x = layers.Dense(512, activation="relu", name="decoder_fc1")(x)
    x = layers.Dense(1024, activation="relu", name="decoder_fc2")(x)
    x = layers.Dense(pixels, activation="sigmoid", dtype="float32", name="decoder_pixels")(x)
    meant = layers.Flatten(dtype="float32", name="decoder_target")(image)
    return ReconstructionLoss(weight, dtype="float32", name="reconstruction_loss")([lengths, x, meant])


def _capsule_initializer() -> Any:
    """As in the authors' implementation; Keras's own would count the capsules as inputs, and begin far too small."""
    return keras.initializers.TruncatedNormal(stddev=0.1)
