"""One flat graph of any Keras model, so that the layers of nested models have tensors in it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean

#: Activations that turn logits into probabilities.
_PROBABILITIES = ("softmax", "sigmoid")


@dataclass(frozen=True, eq=False)
class FlatGraph:
    """A model as one functional graph, which shares its layers with the original.

    ``model`` maps pixels to the output, ``logits`` is the symbolic tensor before the last softmax or sigmoid, and
    ``tensors`` has the output of each layer and operation by name, in execution order, without those used in training
    only. A layer of a nested model is called ``OUTER/INNER``.
    """

    model: keras.Model
    logits: Any
    tensors: Mapping[str, Any]

    def find(self, name: str, aliases: Mapping[str, str], model: str) -> str:
        """The full name of a layer, given that, an alias, or a nested layer's own name if that is unique.

        Raises:
            UsageError: ``model`` has no such layer, or several.
        """
        wanted = aliases.get(name, name)
        if wanted in self.tensors:
            return wanted
        inner = [full for full in self.tensors if full.rpartition("/")[2] == wanted]
        if len(inner) == 1:
            return inner[0]
        if inner:
            raise UsageError(f"{model} has {len(inner)} layers '{name}': {', '.join(inner)}; say which.")
        hint = did_you_mean(name, [*aliases, *self.tensors], count=3, cutoff=0.5)
        raise UsageError(f"{model} has no layer '{name}'.{hint} 'zoo info MODEL --layers' lists them.")

    def is_map(self, name: str) -> bool:
        """Whether a layer's output is a feature map (n, rows, columns, channels) over the image.

        Capsules have four axes too, but a single row, or more rows than the image.
        """
        shape: Any = getattr(self.tensors[name], "shape", ())
        if len(shape) != 4 or None in shape[1:]:
            return False
        height, width = self.model.input.shape[1:3]
        return bool(1 < shape[1] <= height and 1 < shape[2] <= width)

    @property
    def last_map(self) -> str | None:
        """The last layer whose output is a feature map, before pooling and dropout; ``None`` if there is none."""
        passing = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Dropout)
        found, learnt = None, False
        for name, tensor in self.tensors.items():
            operation = keras.tree.flatten(tensor)[0]._keras_history.operation
            # Before the first weights there is only the image itself.
            learnt = learnt or bool(getattr(operation, "weights", ()))
            if learnt and self.is_map(name) and not isinstance(operation, passing):
                found = name
        return found


def flatten(model: keras.Model) -> FlatGraph:
    """Unnest functional and sequential models within a model, at any depth.

    In Keras 3 the layers of a nested model have tensors of a separate graph, which no gradient of the outer model
    reaches. Here all layers are called again, in one graph. A nested subclassed model, or one of several inputs, stays
    one layer.

    Raises:
        UsageError: the model itself is subclassed, or takes several inputs.
    """
    if not isinstance(model, keras.Function | keras.Sequential) or len(model.inputs) != 1:
        raise UsageError(
            f"{model.name} is no functional or sequential network of one input, so its layers cannot be inspected."
        )
    source = model.inputs[0]
    # Integers have no gradient; the layers get the same values as floats.
    dtype = source.dtype if "float" in source.dtype else "float32"
    pixels = keras.Input(batch_shape=source.shape, dtype=dtype, name="pixels")
    tensors: dict[str, Any] = {}
    output = _call(model, pixels, pixels, "", tensors)
    while isinstance(output, list | tuple):
        # Auxiliary heads for training come after the first output.
        output = output[0]
    flat = keras.Model(pixels, output, name=model.name)
    running = set(map(id, flat.operations))
    needed = {
        name: tensor
        for name, tensor in tensors.items()
        if id(keras.tree.flatten(tensor)[0]._keras_history.operation) in running
    }
    return FlatGraph(flat, _logits(output), needed)


def without_activation(operation: Any, source: Any, suffix: str) -> Any:
    """The output of a copy of a layer with the same weights, but no activation."""
    settings = {**operation.get_config(), "activation": None, "name": f"{operation.name}_{suffix}"}
    copy = type(operation).from_config(settings)
    output = copy(source)
    copy.set_weights(operation.get_weights())
    return output


def _call(network: Any, pixels: Any, x: Any, prefix: str, tensors: dict[str, Any]) -> Any:
    """Call the layers of a model, nested ones included, on the tensor ``x``; record each output in ``tensors``."""
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        # Keras clones a graph onto inputs only: ``pixels`` stands for the tensor that the model is called on.
        args, kwargs = keras.tree.map_structure(lambda value: x if value is pixels else value, (args, kwargs))
        nested = isinstance(layer, keras.Function | keras.Sequential) and len(layer.inputs) == 1
        if nested and len(args) == 1:
            (inner,) = keras.tree.flatten(args)
            return _call(layer, pixels, inner, f"{prefix}{layer.name}/", tensors)
        output = layer(*args, **kwargs)
        tensors[prefix + layer.name] = output
        return output

    inputs = [pixels] if isinstance(network.input, list | tuple) else pixels
    if isinstance(network.input, dict):
        inputs = dict.fromkeys(network.input, pixels)
    copy = keras.models.clone_model(
        network, input_tensors=inputs, call_function=call, clone_function=lambda layer: layer
    )
    return keras.tree.map_structure(lambda value: x if value is pixels else value, copy.output)


def _logits(output: Any) -> Any:
    """The tensor before a final softmax or sigmoid; the output itself if there is none."""
    operation, number, _ = output._keras_history
    node = operation._inbound_nodes[number]
    source = node.input_tensors[0] if node.input_tensors else None
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    if isinstance(operation, keras.layers.Softmax) or type(operation).__name__ in ("Softmax", "Sigmoid"):
        return source
    if activation not in _PROBABILITIES:
        return output
    if isinstance(operation, keras.layers.Activation):
        return source
    return without_activation(operation, source, "logits")
