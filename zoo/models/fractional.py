"""Networks with fractional max-pooling: many small convolutions between which the feature map shrinks slowly."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from zoo.core.errors import UsageError
from zoo.layers.fractional import INFERENCE, FractionalMaxPooling2D, fractional_max_pool, region_boundaries
from zoo.models import head
from zoo.models.inputs import network_input

#: Slope below zero of the author's "very leaky" ReLU.
SLOPE = 0.333


def FractionalNet(  # noqa: N802 - a network is named as the field writes it
    input_shape: tuple[int, int, int] = (28, 28, 1),
    *,
    input_tensor: Any = None,
    classes: int = 10,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
    training: bool = False,
    passes: int = 1,
    filters: int = 32,
    stages: int = 6,
    root: int = 2,
    overlapping: bool = True,
    pseudorandom: bool = True,
    dropout: float = 0.0,
    seed: int = 0,
    name: str = "fractional",
) -> keras.Model:
    """Build (``filters`` nC2 – FMP)×``stages`` – C2 – C1, where FMP shrinks by the ``root``-th root of two.

    A stage is a 2×2 convolution without padding and fractional max-pooling; the n-th has n times ``filters`` filters,
    as have the two convolutions at the end, of 2×2 and 1×1. A leaky ReLU follows every convolution. The image is padded
    with zeros until the last map is a single pixel: 36×36 for six stages by √2, 94×94 for twelve by ∛2.

    With ``training`` the pooling regions are random for every batch. Otherwise the network has standard operations with
    regions that ``seed`` and the number of the pass fix; those of the first pass are what the training network uses in
    inference. All forms have the same layers with weights, of the same names.

    Args:
        input_shape: height, width and channels. An image larger than the sizes above is padded to the next size that
            the pooling makes come out even.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs.
        include_top: whether global average pooling (of one pixel, at the sizes above) and the dense layer are part
            of the network.
        pooling: without the top: ``"avg"``, ``"max"`` or ``None`` (a feature map).
        classifier_activation: activation of the last layer, ``None`` for logits.
        training: whether the regions are random; the network then has one pass.
        passes: forward passes with different regions, whose outputs are averaged. They share all weights.
        filters: filters that each stage has more than the one before.
        stages: number of stages.
        root: 2 for a ratio of √2, 3 for ∛2.
        overlapping: whether neighbouring regions share a pixel.
        pseudorandom: whether regions are spread evenly, or their sizes are shuffled.
        dropout: share of its inputs that the last convolution leaves out in training; it grows from nothing in the
            first by equal steps, as in the author's implementation.
        seed: of the regions.
        name: name of the Keras model.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, where zero is the background, to
        probabilities ``(batch, classes)``, or to features without the top.

    Raises:
        UsageError: no such ratio, or no pass.

    Source: Graham, Fractional Max-Pooling (2014), arXiv 1412.6071.
    """
    if root not in (1, 2, 3):
        raise UsageError(f"root is 1, 2 or 3: the map shrinks by 2, √2 or ∛2. Received: root={root}")
    if passes < 1:
        raise UsageError(f"passes is at least 1. Received: passes={passes}")
    source, inputs = network_input(input_shape, input_tensor)
    ratio = 2 ** (1 / root)
    (padded_height, rows), (padded_width, columns) = (_sizes(side, stages, ratio) for side in input_shape[:2])

    # Layers that all passes share
    widths = [input_shape[2], *(filters * n for n in range(1, stages + 3))]
    convolutions = []
    for n in range(1, stages + 3):
        size, shrink = (1 if n == stages + 2 else 2), (ratio if n <= stages else 1.0)
        convolutions.append(_Convolution(n, widths[n - 1], widths[n], size, shrink, dropout * (n - 1) / (stages + 1)))
    average = layers.GlobalAveragePooling2D(name="avg_pool")
    # Not "max_pool": Keras gives that name to an operation of the pooling between the stages.
    maximum = layers.GlobalMaxPooling2D(name="global_max_pool")
    predictions = head.classifier(classes, classifier_activation)

    def pool(x: Any, stage: int, number: int) -> Any:
        size, suffix = (rows[stage], columns[stage]), f"_pass{number + 1}" if number else ""
        options: dict[str, Any] = {"pseudorandom": pseudorandom, "seed": seed + stage}
        if training:
            return FractionalMaxPooling2D(
                output_size=size, overlapping=overlapping, name=f"pool{stage + 1}", **options
            )(x)  # fmt: skip
        spans = (x.shape[1] - overlapping, x.shape[2] - overlapping)
        ends = region_boundaries(spans, size, number, stream=INFERENCE, **options)
        x = fractional_max_pool(x, (ends[0].tolist(), ends[1].tolist()), overlapping=overlapping)
        return layers.Identity(name=f"pool{stage + 1}{suffix}")(x)

    # Stage 1 before its pooling, which is the same in all passes
    top, left = padded_height - input_shape[0], padded_width - input_shape[1]
    x = layers.ZeroPadding2D(((top // 2, top - top // 2), (left // 2, left - left // 2)), name="padding")(inputs)
    first = convolutions[0](x)

    outputs = []
    for number in range(1 if training else passes):
        # Stages
        x = pool(first, 0, number)
        for stage in range(1, stages):
            x = convolutions[stage](x)
            x = pool(x, stage, number)

        # C2 and C1
        x = convolutions[stages](x)
        x = convolutions[stages + 1](x)

        # Head
        if include_top:
            x = predictions(average(x))
        elif pooling == "avg":
            x = average(x)
        elif pooling == "max":
            x = maximum(x)
        outputs.append(x)

    x = layers.Average(name="mean_of_passes")(outputs) if len(outputs) > 1 else outputs[0]
    return keras.Model(source, x, name=name)


class _Convolution:
    """Dropout where there is any, convolution, leaky ReLU; calls share the layers."""

    def __init__(self, number: int, inputs: int, filters: int, size: int, shrink: float, dropout: float) -> None:
        # Glorot's rule, as the author has it: of the outputs, only what the pooling leaves hands a gradient back.
        limit = (6 / (inputs * size**2 + filters * (size / shrink) ** 2)) ** 0.5
        uniform = keras.initializers.RandomUniform(-limit, limit)
        self.layers = [layers.Dropout(dropout, name=f"dropout{number}")] if dropout else []
        self.layers += [
            layers.Conv2D(filters, size, kernel_initializer=uniform, name=f"conv{number}"),
            layers.LeakyReLU(SLOPE, name=f"conv{number}_relu"),
        ]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def _sizes(size: int, stages: int, ratio: float) -> tuple[int, list[int]]:
    """What a side of ``size`` pixels is padded to, and what the pooling of each stage leaves of it.

    They are counted from the end, as the author does: the map before the last convolution has the fewest pixels, at
    least 2, from which rounded multiplications by ``ratio`` lead to a map that holds the image.
    """
    last = 2
    while True:
        sizes = [last]
        for _ in range(stages):
            # The convolution takes a pixel, the pooling a factor.
            sizes.append(int(sizes[-1] * ratio + 0.5) + 1)
        if sizes[-1] >= size:
            return sizes[-1], sizes[-2::-1]
        last += 1
