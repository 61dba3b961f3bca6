"""Weights from a file into a network: legacy HDF5 by the order of layers, Keras 3 by its own paths, arrays by name."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from zoo.core.errors import WeightsError
from zoo.core.spec import ModelSpec
from zoo.models import applications
from zoo.pretrained import arrays as weight_arrays
from zoo.pretrained import layout as weight_layout
from zoo.pretrained.layout import Layer, Layout


def load_weights(
    model: keras.Model, spec: ModelSpec, path: Path, *, include_top: bool = True, new_top: bool = False
) -> None:
    """Load a file of weights into a network, with its preprocessing or without.

    The layout is read from the file, whatever its name.

    Args:
        model: the network, as :func:`zoo.create_model` builds it.
        spec: what the registry knows of it.
        path: legacy HDF5, Keras 3 HDF5, a ``.keras`` archive, or arrays by name (``.npz``, ``.npy``).
        include_top: whether the network has its classifier. Without, a classifier in the file is passed over.
        new_top: whether the last layer may differ from the file's; it is then left as it is.

    Raises:
        WeightsError: the file cannot be read, or does not fit.
    """
    if not path.is_file():
        raise WeightsError(f"There is no file {path}; weights are None, 'imagenet', another tag, or a file.")
    with tempfile.TemporaryDirectory() as folder:
        if path.suffix == ".keras":
            archive, path = path, Path(folder) / "archive.weights.h5"
            weight_layout.extract(archive, path)
        layout = weight_layout.read(path)
        if layout.format == "legacy":
            _load_by_order(model, spec, path, layout, include_top=include_top, new_top=new_top)
        elif layout.format == "arrays":
            _load_by_name(model, spec, path, layout, include_top=include_top, new_top=new_top)
        else:
            _load_by_path(model, spec, path, layout, include_top=include_top, new_top=new_top)
    applications.correct_normalization(model, spec)


def _load_by_order(
    model: keras.Model, spec: ModelSpec, path: Path, layout: Layout, *, include_top: bool, new_top: bool
) -> None:
    """The n-th layer with weights gets the n-th of the file, as Keras does it."""
    import h5py

    layers = [layer for layer in model.layers if layer.weights]
    pairs = list(zip(layers, layout.layers, strict=False))
    # Without a classifier the file may go on; with a new one the file may end before it.
    complete = len(layers) == len(layout.layers)
    if not (complete or (len(pairs) == len(layers) and not include_top) or (len(pairs) < len(layers) and new_top)):
        raise _misfit(spec, path, f"it has {len(layout.layers)} layers with weights, the network {len(layers)}")
    if complete and new_top and _shapes(layers[-1]) != [weight.shape for weight in layout.layers[-1].weights]:
        pairs.pop()
    for layer, stored in pairs:
        found = [weight.shape for weight in stored.weights]
        if _shapes(layer) != found:
            raise _misfit(spec, path, f"layer {stored.name} is {found}, the network's {layer.name} {_shapes(layer)}")
    with h5py.File(path, "r") as file:
        for layer, stored in pairs:
            for variable, weight in zip(_variables(layer), stored.weights, strict=True):
                variable.assign(file[weight.dataset][()])
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()


def _load_by_path(
    model: keras.Model, spec: ModelSpec, path: Path, layout: Layout, *, include_top: bool, new_top: bool
) -> None:
    """Keras loads its own layout, which goes by the class and number of each layer."""
    # Dropout's random state is stored like a weight, and is none.
    stored = [layer for layer in layout.layers if not layer.key.endswith("/seed_generator")]
    skipped = _new_layers(model, stored) if new_top else []
    found = sum(math.prod(weight.shape) for layer in stored for weight in layer.weights)
    if include_top and not skipped and found != model.count_params():
        raise _misfit(spec, path, f"it has {found:,} parameters, the network {model.count_params():,}")
    try:
        if path.name.endswith(".weights.h5"):
            model.load_weights(path, objects_to_skip=skipped)
            return
        # Keras goes by the name, and this one means the other layout.
        with tempfile.TemporaryDirectory() as folder:
            renamed = Path(folder) / "copy.weights.h5"
            weight_layout.extract(path, renamed)
            model.load_weights(renamed, objects_to_skip=skipped)
    except (ValueError, KeyError) as error:
        raise _misfit(spec, path, " ".join(str(error).split())) from error


def _load_by_name(
    model: keras.Model, spec: ModelSpec, path: Path, layout: Layout, *, include_top: bool, new_top: bool
) -> None:
    """Each layer, also one inside another network, gets the arrays that bear its name and those of its weights."""
    layers = list(_leaves(model))
    stored = weight_layout.by_name(layout.layers, [layer.name for layer in layers])
    if include_top and (extra := [name for name in stored if name not in {layer.name for layer in layers}]):
        raise _misfit(spec, path, f"it has a layer {extra[0]}, the network none of that name")
    loaded = []
    for layer in layers:
        found = (
            sorted((weight.name, weight.shape) for weight in stored[layer.name].weights) if layer.name in stored else []
        )
        wanted = sorted((variable.name, tuple(variable.shape)) for variable in layer.weights)
        if found == wanted:
            loaded.append(layer)
        elif not (new_top and layer is layers[-1]):
            raise _misfit(spec, path, f"layer {layer.name} is {found or 'not there'}, the network's {wanted}")
    arrays = weight_arrays.load(path)
    for layer in loaded:
        datasets = {weight.name: weight.dataset for weight in stored[layer.name].weights}
        for variable in layer.weights:
            variable.assign(arrays[datasets[variable.name]])


def _leaves(network: Any) -> Iterator[keras.layers.Layer]:
    """The layers that have weights, without the networks that they are in."""
    for layer in network.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        elif layer.weights:
            yield layer


def _new_layers(model: keras.Model, stored: Sequence[Layer]) -> list[keras.layers.Layer]:
    """The last layer where its shape differs from the file's, and others that the file has not."""
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for entry in stored:
        top_level = entry.key.split("/")[1].replace("_", "")
        shapes.setdefault(top_level, []).extend(weight.shape for weight in entry.weights)
    counts: Counter[str] = Counter()
    new: list[keras.layers.Layer] = []
    for layer in model.layers:
        kind = type(layer).__name__.lower()
        key = f"{kind}{counts[kind] or ''}"
        counts[kind] += 1
        if layer.weights and key not in shapes:
            new.append(layer)
        elif layer.weights:
            last, last_shapes = layer, shapes[key]
    if sorted(last_shapes) != sorted(_shapes(last)):
        new.append(last)
    return new


def _variables(layer: keras.layers.Layer) -> list[Any]:
    """A layer's weights in the order of the legacy layout."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _shapes(layer: keras.layers.Layer) -> list[tuple[int, ...]]:
    return [tuple(variable.shape) for variable in _variables(layer)]


def _misfit(spec: ModelSpec, path: Path, reason: str) -> WeightsError:
    return WeightsError(f"{path} does not fit {spec.name} as it was asked for: {reason}.")
