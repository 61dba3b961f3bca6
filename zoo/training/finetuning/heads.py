"""A pretrained network with a new head: one flat graph, which can be cut in two where one tensor carries everything."""

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

_STAGES = 5  #: Stages of a network that names none.


class HeadedModel(NamedTuple):
    """A network with a new head, and the layer or operation whose output is that of :attr:`Head.cut`."""

    model: keras.Model
    features: str


def attach(spec: ModelSpec, weights: str | os.PathLike[str] | None, classes: int, head: Head) -> HeadedModel:
    """A network without its classifier, and a new head: images (n, height, width, 3) to probabilities (n, classes).

    ``weights`` are a tag or a file; random if ``None``, unless the network is in a file and has its own.
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
        x = _dropout(x, head, _unused(f"head_dropout_{number}", taken))
        x = layers.Dense(width, activation="relu", name=_unused(f"head_dense_{number}", taken))(x)
    x = _dropout(x, head, _unused("head_dropout", taken))
    # float32 in mixed precision too.
    x = layers.Dense(classes, activation="softmax", dtype="float32", name="predictions")(x)
    return HeadedModel(keras.Model(trunk.input, x, name=spec.name), features)


def upper_part(model: keras.Model, name: str) -> keras.Model:
    """The part of a network that takes the output of an operation at which it can be cut; it shares the layers."""
    return keras.Model(models.find_layer(model, name).output, model.output, name=f"{model.name}_above_{name}")


def split_point_below(model: keras.Model, name: str) -> str:
    """The last operation before ``name`` at which the network can be cut."""
    order = operation_names(model)
    place = order.index(name)
    below = [cut.name for cut in models.split_points(model) if order.index(cut.name) < place]
    return str(below[-1]) if below else order[0]


def freeze(model: keras.Model, first: str) -> None:
    """Make the layers from ``first`` on trainable, except BatchNorm, whose statistics that freezes, and no others."""
    names = operation_names(model)
    place = names.index(first)
    for layer in model.layers:
        trains = names.index(layer.name) >= place and not isinstance(layer, layers.BatchNormalization)
        for inner in layer._flatten_layers():
            inner.trainable = trains and not isinstance(inner, layers.BatchNormalization)


def rate_scales(model: keras.Model, whole: keras.Model, spec: ModelSpec, decay: float) -> list[float] | None:
    """Layer-wise learning-rate decay: a factor for each trainable variable of ``model``, a part of ``whole``.

    It is 1 in the head, and below it ``decay`` to the power of the number of stages that end at or above a layer.
    ``None`` if all are 1.
    """
    if decay == 1.0:
        return None
    names = operation_names(whole)
    ends = stage_ends(names, spec)
    scales: dict[int, float] = {}
    for layer in model.layers:
        place = names.index(layer.name) if layer.name in names else len(names)
        above = sum(place <= end for end in ends)
        for variable in layer.trainable_variables:
            scales[id(variable)] = decay**above
    return [scales[id(variable)] for variable in model.trainable_variables]


def operation_names(model: keras.Model) -> list[str]:
    """The names of a network's operations, in order."""
    return [operation.name for operation in model.operations]


def stage_ends(names: Sequence[str], spec: ModelSpec) -> list[int]:
    """The indices in ``names``, a network's operations, at which its stages end; five equal parts if it names none."""
    named = [names.index(stage.layer) for stage in spec.stages if stage.layer in names]
    if named:
        return named
    trunk = len([name for name in names if not name.startswith(("head_", "predictions"))])
    return [round(trunk * part / _STAGES) - 1 for part in range(1, _STAGES + 1)]


def _dropout(x: Any, head: Head, name: str) -> Any:
    return layers.Dropout(head.dropout, name=name)(x) if head.dropout else x


def _unused(name: str, taken: set[str]) -> str:
    """The name, with a number if the pretrained network has a layer of that name."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
