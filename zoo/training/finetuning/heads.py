"""A trained network with a new head: one flat graph, which can be taken in two at any waist."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import keras
from keras import layers

from zoo import models
from zoo.core.spec import ModelSpec
from zoo.training.finetuning.recipe import Head

#: Stages of a network that has none by name.
_PARTS = 5


class Joined(NamedTuple):
    """A network with a new head, and the layer or operation that gives what :attr:`Head.cut` means."""

    model: keras.Model
    features: str


def join(spec: ModelSpec, weights: str | os.PathLike[str] | None, classes: int, head: Head) -> Joined:
    """A network up to where the head takes over, and the head: (n, height, width, 3) to probabilities (n, ``classes``).

    Args:
        spec: the network.
        weights: tag or file; random ones without. A network in a file has its own.
        classes: outputs.
        head: what comes on top.
    """
    trunk = models.create_model(replace(spec, cut=replace(head.cut, pool=None)), weights)
    taken = {operation.name for operation in trunk.operations}
    x, features = trunk.output, str(trunk.operations[-1].name)
    if len(x.shape) == 4:
        kinds = {"max": layers.GlobalMaxPooling2D, "flatten": layers.Flatten}
        pool = kinds.get(head.pool, layers.GlobalAveragePooling2D)(name=_unused("head_pool", taken))
        x = pool(x)
        features = pool.name if head.pool in ("avg", "max") else features
    for number, width in enumerate(head.hidden, start=1):
        x = _dropped(x, head, _unused(f"head_dropout_{number}", taken))
        x = layers.Dense(width, activation="relu", name=_unused(f"head_dense_{number}", taken))(x)
    x = _dropped(x, head, _unused("head_dropout", taken))
    # Probabilities need all the digits that there are.
    x = layers.Dense(classes, activation="softmax", dtype="float32", name="predictions")(x)
    return Joined(keras.Model(trunk.input, x, name=spec.name), features)


def above(model: keras.Model, name: str) -> keras.Model:
    """The part of a joined network that takes the output of a layer, a waist; it shares the layers."""
    return keras.Model(models.find_layer(model, name).output, model.output, name=f"{model.name}_above_{name}")


def waist_below(model: keras.Model, name: str) -> str:
    """The last waist that comes before a layer or operation."""
    order = [operation.name for operation in model.operations]
    place = order.index(name)
    below = [waist.name for waist in models.waists(model) if order.index(waist.name) < place]
    return str(below[-1]) if below else order[0]


def freeze(model: keras.Model, first: str) -> None:
    """Let the layers from one on learn, and no others; BatchNorm keeps its statistics and stays as it is throughout.

    In Keras 3 calling a network with ``training=False`` does not hold BatchNorm once ``fit`` runs; a layer that is not
    trainable does.
    """
    names = [operation.name for operation in model.operations]
    place = names.index(first)
    for layer in model.layers:
        learns = names.index(layer.name) >= place and not isinstance(layer, layers.BatchNormalization)
        for inner in layer._flatten_layers():
            inner.trainable = learns and not isinstance(inner, layers.BatchNormalization)


def rate_scales(model: keras.Model, whole: keras.Model, spec: ModelSpec, decay: float) -> list[float] | None:
    """A factor of the learning rate for each trainable variable of ``model``, a part of ``whole``.

    It is 1 in the head, and below it ``decay`` to the power of how many stages end at or above a layer. ``None`` where
    all are 1.
    """
    if decay == 1.0:
        return None
    names = [operation.name for operation in whole.operations]
    ends = stage_ends(names, spec)
    scales: dict[int, float] = {}
    for layer in model.layers:
        place = names.index(layer.name) if layer.name in names else len(names)
        above_it = sum(place <= end for end in ends)
        for variable in layer.trainable_variables:
            scales[id(variable)] = decay**above_it
    return [scales[id(variable)] for variable in model.trainable_variables]


def after(model: keras.Model, name: str) -> str:
    """The operation that comes after one."""
    names = [operation.name for operation in model.operations]
    return str(names[names.index(name) + 1])


def stage_ends(names: Sequence[str], spec: ModelSpec) -> list[int]:
    """Where the stages of a network end among its operations; five parts of it where it names none."""
    named = [names.index(stage.layer) for stage in spec.stages if stage.layer in names]
    if named:
        return named
    trunk = len([name for name in names if not name.startswith(("head_", "predictions"))])
    return [round(trunk * part / _PARTS) - 1 for part in range(1, _PARTS + 1)]


def _dropped(x: Any, head: Head, name: str) -> Any:
    return layers.Dropout(head.dropout, name=name)(x) if head.dropout else x


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with a number where a layer of the trained network has it."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
