"""The Keras model of a network in a YAML file."""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from zoo.catalog import declarative
from zoo.catalog.declarative import signatures, yaml_lines
from zoo.catalog.declarative.arguments import Made
from zoo.catalog.declarative.network import Network
from zoo.catalog.declarative.unroll import INPUT, Call
from zoo.core.errors import UsageError

#: The most weights of convolutions and dense layers in a network: 1 GB of float32, twice VGG19. More is a mistake that
#: would end the process before Keras could complain.
MAX_WEIGHTS = 2**28

# What Keras wraps around a reason, and what it appends to it.
_WRAPPING = re.compile(
    r"\x1b\[[0-9;]*m|^Exception encountered when calling [^.]*\.call\(\)\.|Arguments received by .*", re.DOTALL
)


def build(
    network: str,
    variables: Mapping[str, object] | None = None,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    *,
    input_tensor: Any = None,
    classes: int = 1000,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: str | None = "softmax",
) -> keras.Model:
    """Build the network that a file describes.

    Args:
        network: the file.
        variables: values that replace those of the file.
        input_shape: height, width and channels.
        input_tensor: a Keras tensor of that shape to build on instead of a new input.
        classes: number of outputs, as ``$classes``; 0 for a network that is no classifier.
        include_top: whether the head is part of the network.
        pooling: without the head: ``"avg"`` or ``"max"`` over the feature map, or ``None`` for the map. Features that
            are no map stay as they are.
        classifier_activation: activation of the last layer, ``None`` for logits; ``"softmax"`` is what the file says.

    Returns:
        A functional model from float32 ``(batch, height, width, channels)``, as the preprocessing leaves it, to the
        output of the last layer, or to features without the head.

    Raises:
        UsageError: the file makes no sense, or Keras cannot build a layer; the sentence names the line and layer.
    """
    plan: Network = declarative.read_network(network, variables or {}, classes)
    inputs = keras.Input(input_shape, name="image") if input_tensor is None else input_tensor
    end = len(plan.calls) - 1
    if not include_top:
        if plan.features is None:
            raise UsageError(f"{plan.file} has no head, so there is no network without it; put its last layers there.")
        end = plan.features
    last = len(plan.calls) - 1
    tensors, weights = {INPUT: inputs}, 0
    for number in plan.needed(end):
        call = plan.calls[number]
        weights += _count_weights(call, tensors[call.inputs[0]])
        if weights > MAX_WEIGHTS:
            shape = _shape(tensors[call.inputs[0]])
            raise _error(plan, call, f"on an input of {shape} brings the network to {weights:,} weights, too many")
        arguments = dict(call.arguments)
        if number == last and classifier_activation != "softmax":
            arguments = _with_activation(plan, call, classifier_activation)
        made = _apply(plan, call, arguments, [tensors[source] for source in call.inputs])
        if not isinstance(made, keras.KerasTensor):
            raise _error(plan, call, "gives more than one output, which no layer after it could take")
        tensors[number] = made
    x = tensors[end]
    if include_top and classes:
        _check_output(plan, x, classes)
    if not include_top and pooling and len(x.shape) == 4:
        pool = layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D
        names = {plan.calls[number].name for number in plan.needed(end)}
        name = f"{pooling}_pool"
        x = pool(name=name if name not in names else f"features_{name}")(x)
    source = inputs if input_tensor is None else keras.utils.get_source_inputs(input_tensor)
    try:
        return keras.Model(source, x, name=plan.name)
    except ValueError as error:
        # A few layers of Keras hand on their input as it is, which a graph cannot hold.
        raise UsageError(f"Keras cannot join the layers of {plan.file}: {_reason(error)}.") from error


def _with_activation(plan: Network, call: Call, activation: str | None) -> dict[str, Any]:
    """The arguments of the last layer with another activation."""
    if "activation" not in call.arguments:
        raise _error(plan, call, "is no layer with an activation, so classifier_activation cannot change it")
    return {**call.arguments, "activation": activation}


def _apply(plan: Network, call: Call, arguments: Mapping[str, Any], inputs: list[Any]) -> Any:
    """Make one layer and call it."""
    shapes = " and ".join(_shape(tensor) for tensor in inputs)
    try:
        made = {key: _made(value) if isinstance(value, Made) else value for key, value in arguments.items()}
        kind = _find(call.kind)
        is_layer = inspect.isclass(kind)
        if not is_layer:
            return kind(inputs[0], **made, name=call.name)
        layer = kind(**made, name=call.name)
        if call.kind in signatures.ATTENTION_ARGUMENTS:
            # One tensor is its own query and value; Keras takes the value for a key that is not given.
            return layer(*(inputs if len(inputs) > 1 else inputs * 2))
        if call.kind in signatures.ATTENTION_LISTS:
            return layer(inputs if len(inputs) > 1 else inputs * 2)
        return layer(inputs if call.kind in signatures.MERGES else inputs[0])
    except UsageError:
        raise
    except Exception as error:
        # Whatever a layer objects to, the person who wrote the file is told where it stands.
        raise _error(plan, call, f"does not fit an input of {shapes}: {_reason(error)}") from error


def _made(thing: Made) -> Any:
    """A layer, initializer, regularizer or constraint."""
    arguments = {key: _made(value) if isinstance(value, Made) else value for key, value in thing.arguments.items()}
    if thing.section == "layers":
        return _find(thing.name)(**arguments)
    return getattr(getattr(keras, thing.section), thing.name)(**arguments)


def _find(kind: str) -> Any:
    """The class or function of a layer."""
    if kind in signatures.OWN:
        module, _, name = signatures.OWN[kind].partition(":")
        return getattr(importlib.import_module(module), name)
    found = getattr(layers, kind, None)
    if not (inspect.isclass(found) and issubclass(found, keras.Layer)):
        raise ValueError(f"Keras {keras.__version__} has no layer {kind}")
    return found


def _count_weights(call: Call, x: Any) -> int:
    """Weights of a convolution or dense layer on ``x``, before any of them is made."""
    outputs = call.arguments.get("units", call.arguments.get("filters"))
    kernel = call.arguments.get("kernel_size", 1)
    channels = x.shape[-1]
    if not isinstance(outputs, int) or not isinstance(channels, int) or not isinstance(kernel, int | tuple):
        return 0
    area = math.prod(kernel) if isinstance(kernel, tuple) else kernel ** (len(x.shape) - 2)
    return outputs * channels * int(area) // int(call.arguments.get("groups", 1))


def _check_output(plan: Network, x: Any, classes: int) -> None:
    """A classifier has one number for each class."""
    if tuple(x.shape[1:]) != (classes,):
        raise _error(
            plan,
            plan.calls[-1],
            f"gives {_shape(x)} where {classes} classes are wanted; write $classes for their number",
        )


def _error(plan: Network, call: Call, text: str) -> UsageError:
    return yaml_lines.error(plan.file, call.line, f"{call.kind} '{call.name}' {text}")


def _shape(tensor: Any) -> str:
    """``28×28×3``: a shape without its batch."""
    return "×".join("?" if side is None else str(side) for side in tensor.shape[1:])


def _reason(error: Exception) -> str:
    """The first sentence of what Keras says, without what it wraps around it."""
    text = " ".join(_WRAPPING.sub(" ", str(error)).split())
    text = re.split(r"(?<=[a-z0-9)`'\]])[.](?= [A-Z]|$)", text)[0]
    return text or type(error).__name__
