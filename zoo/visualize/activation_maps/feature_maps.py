"""What layers make of an image: their feature maps, and which layers give an overview of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.images import inputs
from zoo.images.inputs import Inputs
from zoo.visualize.network.subject import Subject

if TYPE_CHECKING:
    import keras

#: Layers that an overview of a network shows, at most, unless it has more stages.
OVERVIEW = 12

#: What ends a step of a network, by its name in Keras in lower case: after it, maps are worth looking at.
_ENDINGS = {"activation", "add", "average", "concatenate", "elu", "gelu", "leakyrelu", "maximum", "multiply", "prelu"}
_ENDINGS |= {"relu", "relu6", "silu", "softplus", "tanh", "hardswish"}


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """What one layer makes of one image."""

    model: str
    layer: str
    #: float32 (rows, columns, channels).
    values: np.ndarray

    @property
    def strongest(self) -> np.ndarray:
        """Channels, those with the largest mean magnitude first: int (channels,)."""
        return np.argsort(-np.abs(self.values).mean(axis=(0, 1)), kind="stable")

    @property
    def silent(self) -> int:
        """How many channels are 0 everywhere in this image."""
        return int((self.values == 0).all(axis=(0, 1)).sum())


def activations(model: str | Subject | keras.Model | None, images: Inputs, layer: str) -> np.ndarray:
    """What a layer makes of images.

    >>> activations("mobilenetv2", "photo.jpg", "stage3").shape
    (1, 28, 28, 32)

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, a network that was opened, or a Keras network in memory; the
            default network without. A Keras network takes arrays of its own shape, as they are.
        images: files, folders, globs, addresses, sources, or arrays, one or several. An array of the network's own
            shape is taken as it is; other uint8 arrays are resized like files.
        layer: its name, or that of a stage.

    Returns:
        float32 (n, …), a map (n, rows, columns, channels) for most layers.

    Raises:
        UsageError: there is no such layer.
        ImageError: an image cannot be read.
        UnavailableError: weights are not to be had.
    """
    from zoo.visualize.explain.explain import opened

    subject = opened(model)
    name = subject.layer(layer)
    pixels = [
        source.pixels
        if source.pixels is not None and source.pixels.shape == subject.input_shape
        else subject.read(source)
        for source in inputs.stream(images)
    ]
    if not pixels:
        raise UsageError("There are no images.")
    return subject.activations(name, np.stack(pixels))


def feature_maps(subject: Subject, layers: Sequence[str], pixels: np.ndarray) -> list[FeatureMaps]:
    """What several layers make of one image, in one run of the network.

    Args:
        subject: the network.
        layers: full names of layers that give maps.
        pixels: uint8 or float (height, width, channels) as the network takes it.
    """
    import keras

    outputs = {str(number): subject.tensor(name) for number, name in enumerate(layers)}
    found = keras.Model(subject.flat.model.input, outputs).predict_on_batch(pixels[None].astype("float32"))
    return [
        FeatureMaps(subject.name, name, np.asarray(found[str(number)][0], "float32"))
        for number, name in enumerate(layers)
    ]


def checked(subject: Subject, layers: Iterable[str]) -> list[str]:
    """Full names of layers that give maps.

    Raises:
        UsageError: there is no such layer, or what it gives has no rows and columns.
    """
    found = []
    for layer in layers:
        name = subject.layer(layer)
        if not subject.is_map(name):
            shape = tuple(getattr(subject.tensor(name), "shape", ()))[1:]
            raise UsageError(
                f"{name} of {subject.name} gives {shape}, which has no rows and columns to draw; take a layer with a "
                f"map, such as {subject.default_layer}."
            )
        found.append(name)
    return found


def overview(subject: Subject) -> list[str]:
    """Layers that show what a network does, in running order: where its stages end, and some between.

    Raises:
        UsageError: the network has no maps.
    """
    names = list(subject.flat.tensors)
    maps = [name for name in names if subject.is_map(name)]
    if not maps:
        raise UsageError(f"{subject.name} has no layer whose output has rows and columns, so there is no map to draw.")
    # What comes before the first weights is arithmetic on the image.
    first = next((place for place, name in enumerate(names) if getattr(_operation(subject, name), "weights", ())), 0)
    maps = [name for name in names[first:] if name in maps] or maps
    steps = [name for name in maps if _ends_step(subject, name)] or maps
    if subject.stages:
        chosen = {subject.layer(stage.layer) for stage in subject.stages} & set(maps)
    else:
        # The last of each size.
        chosen = set({subject.tensor(name).shape[1:3]: name for name in steps}.values())
    missing = max(0, OVERVIEW - len(chosen))
    chosen |= {steps[int(place)] for place in np.linspace(0, len(steps) - 1, min(missing, len(steps))).round()}
    return [name for name in names if name in chosen]


def _operation(subject: Subject, name: str) -> Any:
    return subject.tensor(name)._keras_history.operation


def _ends_step(subject: Subject, name: str) -> bool:
    operation = _operation(subject, name)
    activation = getattr(getattr(operation, "activation", None), "__name__", "linear")
    return type(operation).__name__.lower() in _ENDINGS or activation != "linear"
