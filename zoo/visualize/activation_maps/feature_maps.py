"""Feature maps: the output of layers for an image, and which layers give an overview of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.images import inputs
from zoo.images.inputs import Inputs
from zoo.visualize.network.inspected_model import InspectedModel

if TYPE_CHECKING:
    import keras

#: Layers of an overview, unless the model has more stages.
OVERVIEW = 12

#: Layer types after which a feature map is worth looking at, in lower case.
_ENDINGS = {"activation", "add", "average", "concatenate", "elu", "gelu", "leakyrelu", "maximum", "multiply", "prelu"}
_ENDINGS |= {"relu", "relu6", "silu", "softplus", "tanh", "hardswish"}


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The output of a layer for one image."""

    model: str
    layer: str
    #: float32 (rows, columns, channels).
    values: np.ndarray

    @property
    def strongest(self) -> np.ndarray:
        """Channels in descending order of mean magnitude: int (channels,)."""
        return np.argsort(-np.abs(self.values).mean(axis=(0, 1)), kind="stable")

    @property
    def silent(self) -> int:
        """The number of channels that are 0 everywhere."""
        return int((self.values == 0).all(axis=(0, 1)).sum())


def activations(model: str | InspectedModel | keras.Model | None, images: Inputs, layer: str) -> np.ndarray:
    """The output of a layer for images.

    >>> activations("mobilenetv2", "photo.jpg", "stage3").shape
    (1, 28, 28, 32)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, an :class:`InspectedModel` or a Keras model; the default model
            if ``None``. A Keras model takes arrays of its own input shape, as they are.
        images: files, folders, globs, URLs, sources, or arrays, one or several. An array of the model's own input
            shape is used as it is; other uint8 arrays are resized like files.
        layer: its name, or that of a stage.

    Returns:
        float32 (n, …), for most layers feature maps (n, rows, columns, channels).

    Raises:
        UsageError: there is no such layer, or there are no images.
        ImageError: an image cannot be read.
        UnavailableError: weights are unavailable.
    """
    net = InspectedModel.open(model)
    name = net.layer(layer)
    pixels = [net.read(source) for source in inputs.stream(images)]
    if not pixels:
        raise UsageError("There are no images.")
    return net.activations(name, np.stack(pixels))


def feature_maps(net: InspectedModel, layers: Sequence[str], pixels: np.ndarray) -> list[FeatureMaps]:
    """The feature maps of several layers (full names) for one input (height, width, channels), in one run."""
    import keras

    outputs = {str(number): net.tensor(name) for number, name in enumerate(layers)}
    found = keras.Model(net.flat.model.input, outputs).predict_on_batch(pixels[None].astype("float32"))
    return [
        FeatureMaps(net.name, name, np.asarray(found[str(number)][0], "float32")) for number, name in enumerate(layers)
    ]


def overview(net: InspectedModel) -> list[str]:
    """Layers that show what a model computes, in execution order: the ends of its stages, and some between.

    Raises:
        UsageError: the model has no feature maps.
    """
    names = list(net.flat.tensors)
    maps = [name for name in names if net.is_map(name)]
    if not maps:
        raise UsageError(f"{net.name} has no layer whose output has rows and columns, so there is no map to draw.")
    # Before the first weights there is only preprocessing.
    first = next((place for place, name in enumerate(names) if getattr(_operation(net, name), "weights", ())), 0)
    maps = [name for name in names[first:] if name in maps] or maps
    steps = [name for name in maps if _ends_step(net, name)] or maps
    if net.stages:
        chosen = {net.layer(stage.layer) for stage in net.stages} & set(maps)
    else:
        # The last of each size.
        chosen = set({net.tensor(name).shape[1:3]: name for name in steps}.values())
    missing = max(0, OVERVIEW - len(chosen))
    chosen |= {steps[int(place)] for place in np.linspace(0, len(steps) - 1, min(missing, len(steps))).round()}
    return [name for name in names if name in chosen]


def _operation(net: InspectedModel, name: str) -> Any:
    return net.tensor(name)._keras_history.operation


def _ends_step(net: InspectedModel, name: str) -> bool:
    operation = _operation(net, name)
    activation = getattr(getattr(operation, "activation", None), "__name__", "linear")
    return type(operation).__name__.lower() in _ENDINGS or activation != "linear"
