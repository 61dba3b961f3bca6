"""Layers of a built network by name."""

from __future__ import annotations

import difflib
from typing import Any

import keras

from zoo.errors import UsageError
from zoo.spec import Cut


def find_layer(model: keras.Model, name: str) -> Any:
    """The layer or operation of a functional model that is called ``name``; it has ``.output``.

    ``model.get_layer`` knows layers alone. The residual sums of ConvNeXt and MobileNetV3's scaling are bare
    operations, and a stage of ConvNeXt ends with one.

    Raises:
        UsageError: there is none; the sentence names the nearest ones.
    """
    operations = {operation.name: operation for operation in model.operations}
    if name in operations:
        return operations[name]
    near = difflib.get_close_matches(name, operations, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(f"{model.name} has no layer '{name}'.{hint} 'zoo info MODEL --layers' lists them.")


def before_last(model: keras.Model) -> str:
    """The layer that gives the last layer with weights what it takes: the features that a classifier judges by.

    Raises:
        UsageError: the model has no layer with weights, or none with a single input.
    """
    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    makers = {
        id(tensor): operation for operation in model.operations for tensor in keras.tree.flatten(operation.output)
    }
    inputs = keras.tree.flatten(last.input) if last is not None else []
    if len(inputs) != 1:
        raise UsageError(f"{model.name} does not end with a layer that takes one input, so no new one can replace it.")
    return str(makers[id(inputs[0])].name)


def cut_at(model: keras.Model, cut: Cut) -> keras.Model:
    """The part of a functional model that ends at a layer; it shares the layers and their weights.

    Raises:
        UsageError: there is no such layer.
    """
    assert cut.layer is not None
    output = find_layer(model, cut.layer).output
    if cut.pool is not None and len(output.shape) == 4:
        kind = keras.layers.GlobalAveragePooling2D if cut.pool == "avg" else keras.layers.GlobalMaxPooling2D
        output = kind(name="cut_pool")(output)
    return keras.Model(model.inputs, output, name=model.name)


def waists(model: keras.Model) -> list[Any]:
    """The layers and operations whose single output everything that comes later depends on alone.

    At these a functional model can be cut in two: what is below has one output, which is all that what is above needs.

    Returns:
        From the input to the output, both included; each has ``.name`` and ``.output``.
    """
    operations = list(model.operations)
    place = {
        id(tensor): number
        for number, operation in enumerate(operations)
        for tensor in keras.tree.flatten(operation.output)
    }
    last_use = list(range(len(operations)))
    for number, operation in enumerate(operations):
        if isinstance(operation, keras.layers.InputLayer):
            continue
        for tensor in keras.tree.flatten(operation.input):
            maker = place[id(tensor)]
            last_use[maker] = max(last_use[maker], number)
    found, reach = [], 0
    for number, operation in enumerate(operations):
        # Nothing that was made before is needed after.
        if reach <= number and len(keras.tree.flatten(operation.output)) == 1:
            found.append(operation)
        reach = max(reach, last_use[number])
    return found


def settle_names(model: keras.Model) -> None:
    """Number the layers that Keras named by itself as in a process that builds nothing else.

    Keras counts over the life of the process, so that ``conv2d_3`` of one InceptionV3 is ``conv2d_97`` of the
    next. Here the numbers begin with zero again, and a layer has one name everywhere. A network without a graph,
    sequential or subclassed, is left as it is.
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
