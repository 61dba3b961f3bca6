"""The part of a model that computes objectives, for square images of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.visualize.network.flat_graph import without_activation
from zoo.visualize.synthesis.resized import resized

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel
    from zoo.visualize.synthesis.objectives.base import Objective

#: Activations without gradient where they are 0, or saturated.
_RELUS = ("relu", "relu6")
_RELU_OPERATIONS = ("ReLU", "Relu", "Relu6")
#: The slope below 0: enough to wake silent units, too little to gain by raising all places of a map a little.
_LEAK = 0.1


class ObjectiveModel:
    """Computes the objectives of one kind and layer.

    If a layer ends in ReLU, gradients are those of a leaky ReLU: a filter that is silent on noise, or saturated in
    ReLU6, would have none. :meth:`scores` are those of the layer as it is.
    """

    def __init__(self, net: InspectedModel, objective: Objective, size: int) -> None:
        """Take one objective, which stands for all of its kind and layer, and the side of the images."""
        import keras

        self.objective = objective
        pixels = net.flat.model.input
        output, seen = objective.tensors(net)
        part = keras.Model(pixels, [leaky(output), output, seen])
        self.model = (resized(part, size, size) if objective.resizes_model else None) or part
        self._shape = tuple(output.shape[1:])
        self._size = size
        #: Upper bound of what a gradient keeps of each image: the float32 outputs of all layers.
        self.bytes = 4 * _activations(net, objective.layer) * math.prod(self.input_size) // math.prod(pixels.shape[1:3])

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what the model is shown."""
        height, width = self.model.inputs[0].shape[1:3]
        return height, width

    def positions(self, objectives: Sequence[Objective]) -> np.ndarray:
        """Which of the :meth:`scores` are those of the objectives: int32 (n,)."""
        return np.array([objective.position(self._shape) for objective in objectives], "int32")

    def values(self, pixels: Any, positions: Any) -> tuple[Any, Any]:
        """The number to raise for each image, (n,), and the features by which images are told apart, (n, …, channels).

        ``pixels`` is a tensor float32 (n, size, size, channels), 0-255; ``positions`` are those of :meth:`positions`.
        """
        from keras import ops

        output, _, seen = self.model(self._fitted(pixels), training=False)
        chosen = ops.take_along_axis(self.objective.numbers(output), ops.expand_dims(positions, 1), axis=1)
        return chosen[:, 0], seen

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        """All objectives of the kind for uint8 images (n, size, size, channels): float32 (n, numbers)."""
        from keras import ops

        shown = self._fitted(ops.convert_to_tensor(pixels.astype("float32")))
        _, output, _ = self.model.predict_on_batch(shown)
        found: np.ndarray = ops.convert_to_numpy(self.objective.numbers(ops.convert_to_tensor(output)))
        return found

    def _fitted(self, pixels: Any) -> Any:
        """Images resampled to the model's input size."""
        from keras import ops

        if self.input_size == (self._size, self._size):
            return pixels
        return ops.image.resize(pixels, self.input_size, interpolation="bilinear", antialias=True)


def leaky(tensor: Any) -> Any:
    """The symbolic output of a layer with a leaky ReLU in place of ReLU or ReLU6, without a maximum.

    Concatenation and pooling are looked through. Without a ReLU it is the tensor itself.
    """
    import keras

    operation, number, _ = tensor._keras_history
    sources = operation._inbound_nodes[number].input_tensors
    if isinstance(operation, keras.layers.Concatenate):
        parts = [leaky(source) for source in sources]
        changed = any(part is not source for part, source in zip(parts, sources, strict=True))
        return keras.ops.concatenate(parts, axis=operation.axis) if changed else tensor
    if isinstance(operation, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D):
        pooled = leaky(sources[0])
        return tensor if pooled is sources[0] else operation(pooled)
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    if type(operation).__name__ in _RELU_OPERATIONS or (
        activation in _RELUS and isinstance(operation, keras.layers.Activation)
    ):
        return keras.ops.leaky_relu(sources[0], _LEAK)
    if activation not in _RELUS:
        return tensor
    return keras.ops.leaky_relu(without_activation(operation, sources[0], "linear"), _LEAK)


def _activations(net: InspectedModel, layer: str | None) -> int:
    """The number of activations for an image, up to a layer."""
    total = 0
    for name, tensor in net.flat.tensors.items():
        total += math.prod(side or 1 for side in getattr(tensor, "shape", ())[1:])
        if name == layer:
            break
    return total
