"""Layers of a built network by name, and networks cut at them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from zoo.core.errors import UsageError
from zoo.core.spec import Cut
from zoo.core.suggestions import did_you_mean


def find_layer(model: keras.Model, name: str, *, also: Iterable[str] = ()) -> Any:
    """The layer or operation of a functional model that is called ``name``; it has ``.output``.

    ``model.get_layer`` finds layers only. The residual sums of ConvNeXt and MobileNetV3's scaling are bare
    operations, and a stage of ConvNeXt ends with one.

    Args:
        model: where to look.
        name: of the layer.
        also: other names to suggest, such as those of the stages.

    Raises:
        UsageError: no such layer; the message suggests the nearest names.
    """
    operations = {operation.name: operation for operation in model.operations}
    if name in operations:
        return operations[name]
    hint = did_you_mean(name, [*also, *operations], count=3, cutoff=0.5)
    raise UsageError(f"{model.name} has no layer '{name}'.{hint} 'zoo info MODEL --layers' lists them.")


def as_functional(model: keras.Model) -> keras.Model:
    """A sequential model as a functional one, which has names and can be cut; a functional one as it is.

    Raises:
        UsageError: a subclassed model, whose graph cannot be seen.
    """
    if isinstance(model, keras.Sequential):
        # Its layers were called once for each that was added, and would answer with tensors of those calls.
        copy = keras.models.clone_model(keras.Model(model.inputs, model.outputs, name=model.name))
        copy.set_weights(model.get_weights())
        return copy
    if not isinstance(model, keras.Function):
        raise UsageError(f"{model.name} is no functional network, so it has no layers that features could come from.")
    return model


def penultimate_layer(model: keras.Model) -> str:
    """The layer whose output the last layer with weights takes: the features that a classifier classifies by.

    Raises:
        UsageError: the model has no layer with weights, or none with a single input.
    """
    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    inputs = keras.tree.flatten(last.input) if last is not None else []
    if len(inputs) != 1:
        raise UsageError(f"{model.name} does not end with a layer that takes one input, so no new one can replace it.")
    return str(list(model.operations)[_producers(model)[id(inputs[0])]].name)


def cut_at(model: keras.Model, cut: Cut, *, also: Iterable[str] = ()) -> keras.Model:
    """The part of a functional model that ends at one layer or several; it shares the layers and their weights.

    Args:
        model: a network, with its classifier if the cut includes probabilities.
        cut: its ``layer`` must be given.
        also: as for :func:`find_layer`.

    Returns:
        A model with an output for each of ``cut.fields``, in their order.

    Raises:
        UsageError: no such layer, one is named twice, one has several outputs, or there are no probabilities.
    """
    assert cut.layer is not None
    if len(set(cut.fields)) < len(cut.fields):
        raise UsageError(f"Each layer can be asked for once. Received: {', '.join((cut.layer, *cut.beside))}")
    outputs: list[Any] = []
    for name in (cut.layer, *cut.beside):
        output = find_layer(model, name, also=also).output
        if not isinstance(output, keras.KerasTensor):
            raise UsageError(f"{name} of {model.name} has several outputs; features come from a layer with one.")
        outputs.append(_pooled(output, cut.pool, "cut_pool" if name == cut.layer else f"cut_pool_{len(outputs)}"))
    if cut.probabilities:
        if len(model.outputs[0].shape) != 2:
            raise UsageError(f"{model.name} does not end with one number for each class, so it has no probabilities.")
        outputs.append(model.outputs[0])
    return keras.Model(model.inputs, outputs[0] if len(outputs) == 1 else outputs, name=model.name)


def _pooled(output: Any, pool: str | None, name: str) -> Any:
    """A feature map as a vector, as ``cut.pool`` says."""
    if pool == "flatten" and len(output.shape) > 2:
        return keras.layers.Flatten(name=name)(output)
    if pool in ("avg", "max") and len(output.shape) == 4:
        kind = keras.layers.GlobalAveragePooling2D if pool == "avg" else keras.layers.GlobalMaxPooling2D
        return kind(name=name)(output)
    return output


def with_trunk_output(model: keras.Model, trunk: keras.Model) -> tuple[keras.Model, str]:
    """A classifier that also gives the output of the same network without its classifier, and that layer's name.

    Mostly the classifier takes that output. ConvNeXt's does not: without a classifier its last map is normalised,
    and with one its mean. The layers that ``model`` lacks are then added, with the weights of ``trunk``.

    Raises:
        UsageError: the two have no common layers, one after the other, up to where they part.
    """
    own = {operation.name: operation for operation in model.operations}
    operations = list(trunk.operations)
    common = [one.name in own and _shape(own[one.name]) == _shape(one) for one in operations]
    if all(common):
        return model, str(operations[-1].name)
    start = common.index(False)
    if any(isinstance(operation.input, list) for operation in operations[start:]):
        raise UsageError(f"{model.name} without its classifier is another network; name a layer for the features.")
    x = own[operations[start - 1].name].output
    for operation in operations[start:]:
        name = f"trunk_{operation.name}"
        copy = type(operation).from_config({**operation.get_config(), "name": name})
        x = copy(x)
        if isinstance(operation, keras.layers.Layer):
            copy.set_weights(operation.get_weights())
    return keras.Model(model.inputs, [*model.outputs, x], name=model.name), name


def _shape(operation: Any) -> Any:
    return keras.tree.map_structure(lambda tensor: tensor.shape, operation.output)


def split_points(model: keras.Model) -> list[Any]:
    """The layers and operations at which a functional model can be split: all that follows needs only their output.

    Returns:
        From the input to the output, both included; each has ``.name`` and ``.output``.
    """
    operations = list(model.operations)
    producers = _producers(model)
    last_use = list(range(len(operations)))
    for number, operation in enumerate(operations):
        if not isinstance(operation, keras.layers.InputLayer):
            for tensor in keras.tree.flatten(operation.input):
                last_use[producers[id(tensor)]] = number
    found, reach = [], 0
    for number, operation in enumerate(operations):
        # Nothing that was made before is needed after.
        if reach <= number and len(keras.tree.flatten(operation.output)) == 1:
            found.append(operation)
        reach = max(reach, last_use[number])
    return found


def _producers(model: keras.Model) -> dict[int, int]:
    """The number of the operation that makes a tensor, by the tensor's identity."""
    return {
        id(tensor): number
        for number, operation in enumerate(model.operations)
        for tensor in keras.tree.flatten(operation.output)
    }


def renumber_layers(model: keras.Model) -> None:
    """Number the layers that Keras named itself from zero, so that a layer has the same name in every process.

    Keras counts over the life of the process: ``conv2d_3`` of one InceptionV3 is ``conv2d_97`` of the next. A network
    without a graph, sequential or subclassed, is left as it is.
    """
    if not isinstance(model, keras.Function):
        return
    automatic: dict[str, list[tuple[int, Any]]] = {}
    for operation in model.operations:
        prefix, _, number = operation.name.rpartition("_")
        if not number.isdecimal():
            prefix, number = operation.name, "0"
        # Keras's own names are the class in snake case, which this recognises without spelling it.
        if prefix.replace("_", "") == type(operation).__name__.lower():
            automatic.setdefault(prefix, []).append((int(number), operation))
    for prefix, found in automatic.items():
        for count, (_, operation) in enumerate(sorted(found, key=lambda pair: pair[0])):
            operation.name = f"{prefix}_{count}" if count else prefix
