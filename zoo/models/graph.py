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
