"""Layers of a weight file matched with those of a network, in the order in which they are loaded, and what differs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoo.pretrained import layout as weight_layout
from zoo.pretrained.layout import Layer, Layout, Weight

#: Lines of a description, and names in one line, before it says "and N more".
LINES, NAMES = 8, 5


@dataclass(frozen=True, slots=True)
class Target:
    """A network's layer: its weights as the file's layout names them, the Keras layer, and its variables."""

    stored: Layer
    layer: Any
    variables: list[Any]


#: A layer of the file and the network's layer that it belongs to; ``None`` if there is none.
Pair = tuple[Layer | None, Target | None]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference. A shape that is ``None`` is missing; ``weight`` is ``None`` for a whole layer."""

    layer: str
    weight: str | None = None
    file: tuple[int, ...] | None = None
    network: tuple[int, ...] | None = None
    #: ``True`` for a layer that only the file has, ``False`` for one that only the network has.
    extra: bool = False

    def __str__(self) -> str:
        if self.weight is None:
            if self.extra:
                return f"the file has a layer {self.layer} that the network has not"
            return f"layer {self.layer} is missing in the file"
        return f"{self.layer}/{self.weight}: file {_shape(self.file)}, network {_shape(self.network)}"


def match(layout: Layout, network: Any) -> list[Pair]:
    """The layers of a file with those of a network: by order, by Keras's paths, or by name, as its layout requires."""
    targets = list(_targets(network, layout))
    if layout.format == "legacy":
        return list(itertools.zip_longest(layout.layers, targets))
    if layout.format == "arrays":
        return _by_name(layout.layers, targets)
    ours = {target.stored.key for target in targets}
    theirs: dict[str, Layer] = {}
    for layer in layout.layers:
        # A layer made of layers is one of ours and several of theirs.
        key = next((key for key in _prefixes(layer.key) if key in ours), layer.key)
        inside = theirs.get(key)
        theirs[key] = Layer(key, layer.name, (*inside.weights, *layer.weights)) if inside else layer
    extra: list[Pair] = [(layer, None) for key, layer in theirs.items() if key not in ours]
    return [*((theirs.get(target.stored.key), target) for target in targets), *extra]


def mismatches(layout: Layout, network: Any) -> list[Mismatch]:
    """What does not fit, in the order of the network; empty if everything does."""
    pairs = match(layout, network)
    found = [difference for pair in pairs for difference in differences(pair)]
    targets = [target for _, target in pairs if target]
    ours, theirs = {target.layer.name for target in targets}, {layer.name for layer in layout.layers}
    if found and 2 * len(ours & theirs) >= len(ours):
        # Layers at the same place differ, but most names are the same: by name, a person sees why.
        return [difference for pair in _by_name(layout.layers, targets) for difference in differences(pair)] or found
    return found


def differences(pair: Pair) -> Iterator[Mismatch]:
    """What of a layer of the file does not fit the network's layer."""
    file, target = pair
    if target is None:
        if file is not None:
            yield Mismatch(file.name, extra=True)
        return
    network = target.stored
    if file is None:
        yield Mismatch(network.name)
        return
    theirs, ours = [weight.shape for weight in file.weights], [weight.shape for weight in network.weights]
    if theirs == ours or (len(ours) > 1 and "/" in network.weights[-1].name and sorted(theirs) == sorted(ours)):
        return
    name = network.name if network.name == file.name or "/" in file.key else f"{network.name} ({file.name} in the file)"
    for stored, weight in itertools.zip_longest(file.weights, network.weights):
        there, wanted = stored.shape if stored else None, weight.shape if weight else None
        if there != wanted:
            yield Mismatch(name, (weight or stored).name, there, wanted)


def describe(found: Sequence[Mismatch]) -> list[str]:
    """Mismatches as a few lines: one for each layer of another shape, then those that are missing or extra."""
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


def _by_name(file: Sequence[Layer], targets: Sequence[Target]) -> list[Pair]:
    ours = [target.stored.name for target in targets]
    theirs = weight_layout.by_name(file, ours)
    pairs: list[Pair] = []
    for target in targets:
        layer = theirs.get(target.stored.name)
        pairs.append((_in_order(layer, target) if layer else None, target))
    return pairs + [(layer, None) for name, layer in theirs.items() if name not in ours]


def _in_order(layer: Layer, target: Target) -> Layer:
    """A layer whose weights have the network's names, in the network's order."""
    names = [weight.name for weight in target.stored.weights]
    if sorted(weight.name for weight in layer.weights) != sorted(names):
        return layer
    return replace(layer, weights=tuple(sorted(layer.weights, key=lambda weight: names.index(weight.name))))


# The network's layers.


def _targets(network: Any, layout: Layout) -> Iterator[Target]:
    """The layers that have weights, in the order in which Keras loads."""
    if layout.format == "legacy":
        for layer in network.layers:
            if variables := [*layer.trainable_weights, *layer.non_trainable_weights]:
                yield _target(layer.name, layer, variables)
        return
    for key, layer in _walk_keras3(network, "layers"):
        yield _target(layer.name if layout.format == "arrays" else key, layer, list(layer.weights))


def _target(key: str, layer: Any, variables: list[Any]) -> Target:
    weights = tuple(Weight(_inner(layer, one), tuple(one.shape)) for one in variables)
    return Target(Layer(key, layer.name, weights), layer, variables)


def _walk_keras3(network: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Keras 3 names layers by their class, numbered; networks inside networks are folders inside folders."""
    counts: dict[str, int] = {}
    for layer in network.layers:
        kind = _snake_case(type(layer).__name__)
        number = counts.setdefault(kind, 0)
        counts[kind] += 1
        key = f"{prefix}/{kind}_{number}" if number else f"{prefix}/{kind}"
        if hasattr(layer, "layers"):
            yield from _walk_keras3(layer, f"{key}/layers")
        elif layer.weights:
            yield key, layer


def _snake_case(name: str) -> str:
    """The name of a class as Keras writes it in a file: ``BatchNormalization`` as ``batch_normalization``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _inner(layer: Any, weight: Any) -> str:
    """A weight's name within its layer; with a ``/`` if it belongs to a layer inside."""
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
