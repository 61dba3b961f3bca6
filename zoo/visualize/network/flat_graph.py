"""One flat graph of any Keras network, so that every layer within has a tensor to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from zoo.core.errors import UsageError

#: What becomes of numbers when they are made probabilities.
_PROBABILITIES = ("softmax", "sigmoid")


@dataclass(frozen=True, eq=False)
class Flat:
    """A network as one functional graph; it shares its layers with the network it was made of.

    ``model`` goes from pixels to what the network gives, ``logits`` is the symbolic tensor before the last softmax (or
    sigmoid), and ``tensors`` has the output of each layer and operation by name, in the order in which they run; those
    that only training needs are left out. A layer of a nested network is called ``OUTER/INNER``.
    """

    model: keras.Model
    logits: Any
    tensors: Mapping[str, Any]

    def is_map(self, name: str) -> bool:
        """Whether a layer gives a map (n, rows, columns, channels) of several rows and columns of the image.

        The vectors and votes of capsules have four axes too, but a single row, or more rows than the image.
        """
        shape: Any = getattr(self.tensors[name], "shape", ())
        if len(shape) != 4 or None in shape[1:]:
            return False
        height, width = self.model.input.shape[1:3]
        return bool(1 < shape[1] <= height and 1 < shape[2] <= width)

    @property
    def last_map(self) -> str | None:
        """The last layer that still knows where things are, or what its pooling was taken of; ``None`` without one."""
        # What is pooled or dropped has less to say than what it was made of.
        passing = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Dropout)
        found, learnt = None, False
        for name, tensor in self.tensors.items():
            operation = keras.tree.flatten(tensor)[0]._keras_history.operation
            # Before the first weights there is only the image itself.
            learnt = learnt or bool(getattr(operation, "weights", ()))
            if learnt and self.is_map(name) and not isinstance(operation, passing):
                found = name
        return found


def flatten(model: keras.Model) -> Flat:
    """Unfold whatever is nested in a network: functional and sequential networks within others, at any depth.

    In Keras 3 the layers of a nested network have tensors of a graph of their own, which no gradient of the outer
    network reaches. Here all layers are called once more, one after the other, in one graph. A network that was written
    as a class, or that takes several inputs, stays one layer where it is nested.

    Raises:
        UsageError: the network itself was written as a class, or takes several inputs.
    """
    if not isinstance(model, keras.Function | keras.Sequential) or len(model.inputs) != 1:
        raise UsageError(
            f"{model.name} is no functional or sequential network of one input, so its layers cannot be looked at."
        )
    source = model.inputs[0]
    # Whole numbers have no gradient; the layers get the same values as fractions.
    dtype = source.dtype if "float" in source.dtype else "float32"
    pixels = keras.Input(batch_shape=source.shape, dtype=dtype, name="pixels")
    tensors: dict[str, Any] = {}
    output = _unfolded(model, pixels, pixels, "", tensors)
    while isinstance(output, list | tuple):
        # Heads that only training needs come after the first output.
        output = output[0]
    flat = keras.Model(pixels, output, name=model.name)
    running = set(map(id, flat.operations))
    needed = {
        name: tensor
        for name, tensor in tensors.items()
        if id(keras.tree.flatten(tensor)[0]._keras_history.operation) in running
    }
    return Flat(flat, _logits(output), needed)


def _unfolded(network: Any, pixels: Any, x: Any, prefix: str, tensors: dict[str, Any]) -> Any:
    """Call the layers of a network, and of those within, on the tensor ``x``; note what each gives."""
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs, network.outputs)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        # Keras clones a graph onto inputs alone: ours stands for what the network is called on.
        args, kwargs = keras.tree.map_structure(lambda value: x if value is pixels else value, (args, kwargs))
        nested = isinstance(layer, keras.Function | keras.Sequential) and len(layer.inputs) == 1
        if nested and len(args) == 1:
            (inner,) = keras.tree.flatten(args)
            return _unfolded(layer, pixels, inner, f"{prefix}{layer.name}/", tensors)
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
    """The tensor that the last softmax is taken of; the output itself where it ends otherwise."""
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
    settings = {**operation.get_config(), "activation": None, "name": f"{operation.name}_logits"}
    copy = type(operation).from_config(settings)
    logits = copy(source)
    copy.set_weights(operation.get_weights())
    return logits
