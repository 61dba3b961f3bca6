"""The weights of a layer as kernels: what each filter multiplies its inputs by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.network.subject import Subject

if TYPE_CHECKING:
    import keras

#: What an image's colours are probed with, and what they are compared with.
_BRIGHT, _DARK = 255.0, 0.0


@dataclass(frozen=True, eq=False)
class Kernels:
    """The kernels of one layer."""

    model: str
    layer: str
    #: What the layer is, e.g. ``"Conv2D"``.
    kind: str
    #: float32 (height, width, channels, filters). A filter of a depthwise layer sees one channel: (…, 1, filters).
    weights: np.ndarray
    #: Whether the channels are the red, green and blue of an image, in this order.
    rgb: bool


def filters(model: str | Subject | keras.Model | None, layer: str | None = None) -> np.ndarray:
    """The kernels of a layer.

    >>> filters("mobilenetv2").shape
    (3, 3, 3, 32)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, a network that was opened, or a Keras network in memory; the
            default network without.
        layer: its name, or that of a stage; the first convolution without.

    Returns:
        float32 (height, width, channels, filters). Of a depthwise or separable layer those of the depthwise part, each
        of which sees one channel: (height, width, 1, filters). Where the channels are those of the image, they are in
        the order red, green, blue, whatever the network's own order is.

    Raises:
        UsageError: there is no such layer, or it has no kernels.
        UnavailableError: weights are not to be had.
    """
    # Imported here because explanations know all methods, which this does not need.
    from zoo.visualize.explain.explain import opened

    return kernels_of(opened(model), layer).weights


def kernels_of(subject: Subject, layer: str | None = None) -> Kernels:
    """The kernels of a layer, and what they are applied to; arguments and errors as for :func:`filters`."""
    name = _first(subject) if layer is None else subject.layer(layer)
    weights = _weights(subject, name)
    if weights is None:
        raise UsageError(f"{name} of {subject.name} has no kernels; {_nearest(subject, name)}.")
    order = _colours(subject, name) if weights.shape[2] == 3 else None
    if order is not None:
        weights = weights[:, :, order]
    kind = type(_operation(subject, name)).__name__
    return Kernels(subject.name, name, kind, np.ascontiguousarray(weights, "float32"), order is not None)


def _first(subject: Subject) -> str:
    for name in subject.flat.tensors:
        if _weights(subject, name) is not None:
            return name
    raise UsageError(f"{subject.name} has no convolution, so it has no kernels to draw.")


def _nearest(subject: Subject, name: str) -> str:
    """Which layers before and after one have kernels."""
    names = list(subject.flat.tensors)
    place = names.index(name)
    having = [other for other in names if _weights(subject, other) is not None]
    if not having:
        return f"nor has any other layer of {subject.name}"
    before = [other for other in having if names.index(other) < place]
    after = [other for other in having if names.index(other) > place]
    return f"the nearest that have are {' and '.join([*before[-1:], *after[:1]])}"


def _operation(subject: Subject, name: str) -> Any:
    return getattr(subject.flat.tensors[name], "_keras_history", (None,))[0]


def _weights(subject: Subject, name: str) -> np.ndarray | None:
    """The kernels of a layer: float (height, width, channels, filters); ``None`` where it has none."""
    import keras

    operation = _operation(subject, name)
    kernel = getattr(operation, "depthwise_kernel", getattr(operation, "kernel", None))
    if kernel is None or len(kernel.shape) != 4:
        return None
    weights = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32")))
    height, width, channels, count = weights.shape
    if isinstance(operation, keras.layers.Conv2DTranspose):
        # Keras keeps the filters of these before the channels that they see.
        return weights.transpose(0, 1, 3, 2)
    if isinstance(operation, keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D):
        return weights.reshape(height, width, 1, channels * count)
    return weights


def _colours(subject: Subject, name: str) -> list[int] | None:
    """Which of a layer's three input channels are red, green and blue; ``None`` where they are something else.

    Three images of one colour each are given to what comes before the layer: a channel that is a colour, shifted and
    scaled, differs from that of a dark image in one of them alone.
    """
    import keras

    operation, node, _ = subject.flat.tensors[name]._keras_history
    source = operation._inbound_nodes[node].input_tensors[0]
    pixels = subject.flat.model.input
    height, width, channels = subject.input_shape
    if channels != 3 or source.shape[1] < height or source.shape[2] < width:
        return None
    colours = np.full((4, height, width, 3), _DARK, "float32")
    for channel in range(3):
        colours[channel, :, :, channel] = _BRIGHT
    before = colours if source is pixels else np.asarray(keras.Model(pixels, source).predict_on_batch(colours))
    middle = before[:, before.shape[1] // 2, before.shape[2] // 2].astype("float64")
    changed = np.abs(middle[:3] - middle[3]) > 1e-6
    if not (changed.sum(axis=0) == 1).all() or not (changed.sum(axis=1) == 1).all():
        return None
    return [int(place) for place in changed.argmax(axis=1)]
