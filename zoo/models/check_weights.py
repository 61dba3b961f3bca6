"""Does a file of weights fit a network? Compared layer by layer, in the order in which Keras loads."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from zoo.core.errors import WeightsError
from zoo.core.spec import ModelSpec
from zoo.core.stderr import quiet_stderr
from zoo.pretrained import layout as weight_layout
from zoo.pretrained.layout import Layer, Layout, Weight

#: Lines of a description, and names in one line, before it says "and N more".
LINES, NAMES = 8, 5


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that does not fit. A shape that is ``None`` is not there; ``weight`` is ``None`` for a whole layer."""

    layer: str
    weight: str | None = None
    file: tuple[int, ...] | None = None
    network: tuple[int, ...] | None = None
    #: ``True`` for a layer of the file that the network has not, ``False`` for one that the file lacks.
    extra: bool = False

    def __str__(self) -> str:
        if self.weight is None:
            if self.extra:
                return f"the file has a layer {self.layer} that the network has not"
            return f"layer {self.layer} is missing in the file"
        return f"{self.layer}/{self.weight}: file {_shape(self.file)}, network {_shape(self.network)}"


def mismatches(path: Path, spec: ModelSpec, *, include_top: bool) -> list[Mismatch]:
    """What does not fit, in the order of the network; empty where everything does. Only shapes are read.

    Args:
        path: a file of weights that :func:`zoo.pretrained.layout.read` knows.
        spec: the network, which is built.
        include_top: with or without its classifier.

    Raises:
        WeightsError: the file cannot be read.
    """
    layout = weight_layout.read(path)
    return _compare(layout, _layers(build(spec, include_top), layout))


def build(spec: ModelSpec, include_top: bool) -> Any:
    """The bare network with random weights.

    Raises:
        WeightsError: this network is not to be had without its classifier.
    """
    # Shapes need no framework, and Keras on OpenVINO starts in half the time. What is chosen already stays.
    if "keras" not in sys.modules and find_spec("openvino"):
        os.environ.setdefault("KERAS_BACKEND", "openvino")
    with quiet_stderr():
        from zoo import models

        return models.create_model(spec, weights=None, preprocessing=False, include_top=include_top)


def load(network: Any, spec: ModelSpec, path: Path) -> None:
    """Load a file that fits, and make sure that every value of it reached the network.

    Raises:
        WeightsError: Keras cannot load it, or the network does not hold what the file does.
    """
    from zoo import models

    layout = weight_layout.read(path)
    try:
        models.load_weights(network, spec, path)
    except WeightsError:
        raise
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"{path} has the shapes of {spec.name}, but Keras does not load it: {first}") from error
    arrays = _arrays(network, layout)
    # What the input is normalised by may be corrected on loading, and is no order that could be wrong.
    corrected = {layer.name for layer in network.layers if type(layer).__name__ == "Normalization"}
    pairs = [(ours, theirs) for theirs, ours in _pairs(layout, _layers(network, layout)) if theirs and ours]
    stored = weight_layout.fingerprints(path, [theirs for _, theirs in pairs])
    for (ours, _), values in zip(pairs, stored, strict=True):
        if ours.name in corrected:
            continue
        if sorted(weight_layout.fingerprint(array) for array in arrays[ours.key]) != values:
            raise WeightsError(
                f"{path} has the shapes of {spec.name}, but its values do not reach the layer {ours.name}: "
                "its layers stand in another order; save it again from that network with Keras 3."
            )


def describe(found: Sequence[Mismatch]) -> list[str]:
    """Mismatches as a few lines: one for each layer of another shape, then those that are missing or too many."""
    shapes: dict[str, str] = {}
    for one in found:
        if one.weight is not None:
            shapes.setdefault(one.layer, str(one))
    lines = list(shapes.values())[:LINES]
    if len(shapes) > LINES:
        lines.append(f"and {len(shapes) - LINES} more layers of other shapes")
    missing = [one.layer for one in found if one.weight is None and not one.extra]
    extra = [one.layer for one in found if one.weight is None and one.extra]
    if len(missing) == 1:
        lines.append(f"layer {missing[0]} is missing in the file")
    elif missing:
        lines.append(f"{len(missing)} layers are missing in the file: {_names(missing)}")
    if extra:
        plural = "a layer" if len(extra) == 1 else f"{len(extra)} layers"
        lines.append(f"the file has {plural} that the network has not: {_names(extra)}")
    return lines


def _compare(layout: Layout, network: Sequence[Layer]) -> list[Mismatch]:
    found = list(_differences(_pairs(layout, network)))
    ours, theirs = {layer.name for layer in network}, {layer.name for layer in layout.layers}
    if found and 2 * len(ours & theirs) >= len(ours):
        # What stands at the same place differs, but most names are the same: by name, a person sees why.
        by_name = list(_differences(_by_name(layout.layers, network)))
        return by_name or found
    return found


def _pairs(layout: Layout, network: Sequence[Layer]) -> list[tuple[Layer | None, Layer | None]]:
    """Layers of the file with those of the network, as Keras brings them together."""
    if layout.format == "legacy":
        return list(itertools.zip_longest(layout.layers, network))
    if layout.format == "arrays":
        return _by_name(layout.layers, network)
    ours = {layer.key: layer for layer in network}
    theirs: dict[str, Layer] = {}
    for layer in layout.layers:
        # A layer made of layers is one of ours and several of theirs.
        key = next((key for key in _prefixes(layer.key) if key in ours), layer.key)
        inside = theirs.get(key)
        theirs[key] = Layer(key, layer.name, (*inside.weights, *layer.weights)) if inside else layer
    extra: list[tuple[Layer | None, Layer | None]] = [(layer, None) for key, layer in theirs.items() if key not in ours]
    return [*((theirs.get(key), layer) for key, layer in ours.items()), *extra]


def _by_name(file: Sequence[Layer], network: Sequence[Layer]) -> list[tuple[Layer | None, Layer | None]]:
    ours = [layer.name for layer in network]
    theirs = weight_layout.by_name(file, ours)
    pairs: list[tuple[Layer | None, Layer | None]] = [(theirs.get(layer.name), layer) for layer in network]
    return pairs + [(layer, None) for name, layer in theirs.items() if name not in ours]


def _differences(pairs: Sequence[tuple[Layer | None, Layer | None]]) -> Iterator[Mismatch]:
    for file, network in pairs:
        if network is None:
            if file is not None:
                yield Mismatch(file.name, extra=True)
        elif file is None:
            yield Mismatch(network.name)
        else:
            yield from _weight_differences(file, network)


def _weight_differences(file: Layer, network: Layer) -> Iterator[Mismatch]:
    theirs, ours = [weight.shape for weight in file.weights], [weight.shape for weight in network.weights]
    if theirs == ours or (len(ours) > 1 and "/" in network.weights[-1].name and sorted(theirs) == sorted(ours)):
        return
    name = network.name if network.name == file.name or "/" in file.key else f"{network.name} ({file.name} in the file)"
    for stored, weight in itertools.zip_longest(file.weights, network.weights):
        there, wanted = stored.shape if stored else None, weight.shape if weight else None
        if there != wanted:
            yield Mismatch(name, (weight or stored).name, there, wanted)


# The network's side.


def _layers(network: Any, layout: Layout) -> list[Layer]:
    """The network's layers that have weights, under the names that the file's layout gives them."""
    return [
        Layer(key, layer.name, tuple(Weight(_inner(layer, one), tuple(one.shape)) for one in weights))
        for key, layer, weights in _walk(network, layout)
    ]


def _arrays(network: Any, layout: Layout) -> dict[str, list[Any]]:
    """Every layer's values by its key."""
    import keras

    return {key: [keras.ops.convert_to_numpy(one) for one in weights] for key, _, weights in _walk(network, layout)}


def _walk(network: Any, layout: Layout) -> Iterator[tuple[str, Any, list[Any]]]:
    """Key, layer and weights of every layer that has any, in the order in which Keras loads."""
    if layout.format == "legacy":
        for layer in network.layers:
            weights = [*layer.trainable_weights, *layer.non_trainable_weights]
            if weights:
                yield layer.name, layer, weights
    elif layout.format == "arrays":
        for _, layer, weights in _walk_keras3(network, "layers"):
            yield layer.name, layer, weights
    else:
        yield from _walk_keras3(network, "layers")


def _walk_keras3(network: Any, prefix: str) -> Iterator[tuple[str, Any, list[Any]]]:
    """Keras 3 knows layers by their class, numbered; networks inside networks are folders inside folders."""
    counts: dict[str, int] = {}
    for layer in network.layers:
        kind = _snake_case(type(layer).__name__)
        number = counts.setdefault(kind, 0)
        counts[kind] += 1
        key = f"{prefix}/{kind}_{number}" if number else f"{prefix}/{kind}"
        if hasattr(layer, "layers"):
            yield from _walk_keras3(layer, f"{key}/layers")
        elif layer.weights:
            yield key, layer, list(layer.weights)


def _snake_case(name: str) -> str:
    """The name of a class as Keras writes it in a file: ``BatchNormalization`` as ``batch_normalization``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _inner(layer: Any, weight: Any) -> str:
    """A weight's name within its layer; with a ``/`` where it belongs to a layer inside."""
    path: str = weight.path
    return path.removeprefix(f"{layer.name}/") if path.startswith(f"{layer.name}/") else str(weight.name)


def _prefixes(key: str) -> Iterator[str]:
    """A path and the paths above it."""
    while key:
        yield key
        key = key.rpartition("/")[0]


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "has none"
    return "×".join(map(str, shape)) or "a single number"


def _names(names: Sequence[str]) -> str:
    more = f", and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more
