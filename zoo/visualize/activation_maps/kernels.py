"""The kernels of a layer: the weights that each filter multiplies its inputs by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.network.inspected_model import InspectedModel

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False)
class Kernels:
    """The kernels of one layer."""

    model: str
    layer: str
    #: The layer's type, such as ``"Conv2D"``.
    kind: str
    #: float32 (height, width, channels, filters); channels are 1 for a depthwise layer.
    weights: np.ndarray
    #: Whether the channels are red, green and blue, in this order.
    rgb: bool


def filters(model: str | InspectedModel | keras.Model | None, layer: str | None = None) -> np.ndarray:
    """The kernels of a layer.

    >>> filters("mobilenetv2").shape
    (3, 3, 3, 32)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, an :class:`InspectedModel` or a Keras model; the default model
            if ``None``.
        layer: its name, or that of a stage; the first convolution if omitted.

    Returns:
        float32 (height, width, channels, filters). Of a depthwise or separable layer those of the depthwise part:
        (height, width, 1, filters). Channels of the image are in the order red, green, blue, whatever order the model
        uses.

    Raises:
        UsageError: there is no such layer, or it has no kernels.
        UnavailableError: weights are unavailable.
    """
    return kernels_of(InspectedModel.open(model), layer).weights


def kernels_of(net: InspectedModel, layer: str | None = None) -> Kernels:
    """The kernels of a layer with their description; arguments and errors as for :func:`filters`."""
    having = [name for name in net.flat.tensors if _weights(net, name) is not None]
    if layer is None and not having:
        raise UsageError(f"{net.name} has no convolution, so it has no kernels to draw.")
    name = having[0] if layer is None else net.layer(layer)
    weights = _weights(net, name)
    if weights is None:
        raise UsageError(f"{name} of {net.name} has no kernels; {_nearest(net, name, having)}.")
    order = _rgb_order(net, name) if weights.shape[2] == 3 else None
    if order is not None:
        weights = weights[:, :, order]
    kind = type(_operation(net, name)).__name__
    return Kernels(net.name, name, kind, np.ascontiguousarray(weights, "float32"), order is not None)


def _nearest(net: InspectedModel, name: str, having: list[str]) -> str:
    """The nearest layers before and after one that have kernels."""
    if not having:
        return f"nor has any other layer of {net.name}"
    names = list(net.flat.tensors)
    place = names.index(name)
    before = [other for other in having if names.index(other) < place]
    after = [other for other in having if names.index(other) > place]
    return f"the nearest that have are {' and '.join([*before[-1:], *after[:1]])}"


def _operation(net: InspectedModel, name: str) -> Any:
    return getattr(net.flat.tensors[name], "_keras_history", (None,))[0]


def _weights(net: InspectedModel, name: str) -> np.ndarray | None:
    """The kernels of a layer: float (height, width, channels, filters); ``None`` if it has none."""
    import keras

    operation = _operation(net, name)
    kernel = getattr(operation, "depthwise_kernel", getattr(operation, "kernel", None))
    if kernel is None or len(kernel.shape) != 4:
        return None
    weights = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(kernel, "float32")))
    height, width, channels, count = weights.shape
    if isinstance(operation, keras.layers.Conv2DTranspose):
        # Keras stores these as (height, width, filters, channels).
        return weights.transpose(0, 1, 3, 2)
    if isinstance(operation, keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D):
        return weights.reshape(height, width, 1, channels * count)
    return weights


def _rgb_order(net: InspectedModel, name: str) -> list[int] | None:
    """Which of a layer's three input channels are red, green and blue; ``None`` if they are something else.

    Probes what comes before the layer with a red, a green, a blue and a black image: a channel is a colour if it
    differs from black for one of them only.
    """
    import keras

    operation, node, _ = net.flat.tensors[name]._keras_history
    source = operation._inbound_nodes[node].input_tensors[0]
    pixels = net.flat.model.input
    height, width, channels = net.input_shape
    if channels != 3 or source.shape[1] < height or source.shape[2] < width:
        return None
    probes = np.zeros((4, height, width, 3), "float32")
    for channel in range(3):
        probes[channel, :, :, channel] = 255
    before = probes if source is pixels else np.asarray(keras.Model(pixels, source).predict_on_batch(probes))
    middle = before[:, before.shape[1] // 2, before.shape[2] // 2].astype("float64")
    changed = np.abs(middle[:3] - middle[3]) > 1e-6
    if not (changed.sum(axis=0) == 1).all() or not (changed.sum(axis=1) == 1).all():
        return None
    return [int(place) for place in changed.argmax(axis=1)]
