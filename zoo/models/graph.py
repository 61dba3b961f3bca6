"""Layers of a built network by name."""

from __future__ import annotations

import difflib
from typing import Any

import keras

from zoo.errors import UsageError


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
