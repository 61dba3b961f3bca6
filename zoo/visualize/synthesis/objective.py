"""What is maximised: from pixels to one number an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.visualize.synthesis.resized import resized
from zoo.visualize.synthesis.targets import Target

if TYPE_CHECKING:
    from zoo.visualize.network.subject import Subject

#: Functions that have no slope where they are 0, or at their highest.
_FLAT = ("relu", "relu6")
_FLAT_OPERATIONS = ("ReLU", "Relu", "Relu6")
#: The slope below 0: enough to wake what is silent, too little to gain by making all places less silent.
_LEAK = 0.1


class Objective:
    """The number that targets of one kind and layer have, for square images of one size.

    For a filter, the network runs at the size of the images, where its layers allow that. Neurons have their places
    in, and classes were learnt from, images of the network's own size, so what they are shown is resampled to it.

    Where a layer ends in ReLU, slopes are those of a leaky one: a filter that is silent on noise, or at the top of
    ReLU6, would have none. What :meth:`scores` gives is of the layer as it is.
    """

    def __init__(self, subject: Subject, target: Target, size: int) -> None:
        """Take one target, which stands for all of its kind and layer, and the side of the images."""
        import keras

        self.kind = target.kind
        flat = subject.flat
        output = flat.logits if target.layer is None else subject.tensor(target.layer)
        # Two images of one class differ in what the last layer with a map sees.
        seen = subject.tensor(subject.default_layer) if target.layer is None else output
        part = keras.Model(flat.model.input, [with_slope(output), output, seen])
        own = resized(part, size, size) if self.kind == "filter" else None
        self.network = own or part
        self._shape = tuple(output.shape[1:])
        self._size = size
        #: What a gradient keeps of each image, at most: what all layers give, in single precision.
        self.bytes = (
            4 * _numbers(subject, target.layer) * math.prod(self.input_size) // math.prod(flat.model.input.shape[1:3])
        )

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of what the network is shown."""
        height, width = self.network.inputs[0].shape[1:3]
        return height, width

    def index(self, targets: Sequence[Target]) -> np.ndarray:
        """Which of the :meth:`scores` are those of the targets: int32 (n,)."""
        found = [
            int(np.ravel_multi_index((*target.place, target.index), self._shape)) if target.place else target.index
            for target in targets
        ]
        return np.array(found, "int32")

    def values(self, pixels: Any, index: Any) -> tuple[Any, Any]:
        """The number to raise for each image, and what the network saw in it.

        Args:
            pixels: a tensor float32 (n, size, size, channels), 0 to 255.
            index: int32 (n,), of :meth:`index`.

        Returns:
            Tensors float32 (n,) and (n, …, channels).
        """
        from keras import ops

        leaky, _, seen = self.network(self._fitted(pixels), training=False)
        chosen = ops.take_along_axis(self._flat(leaky), ops.expand_dims(index, 1), axis=1)
        return chosen[:, 0], seen

    def scores(self, pixels: np.ndarray) -> np.ndarray:
        """How active all filters, neurons or classes are on images as they are.

        Args:
            pixels: uint8 (n, size, size, channels), 0 to 255.

        Returns:
            float32 (n, filters), (n, neurons) or (n, classes): means over the map, values, or logits.
        """
        from keras import ops

        shown = self._fitted(ops.convert_to_tensor(pixels.astype("float32")))
        _, output, _ = self.network.predict_on_batch(shown)
        found: np.ndarray = ops.convert_to_numpy(self._flat(ops.convert_to_tensor(output)))
        return found

    def _fitted(self, pixels: Any) -> Any:
        """Images at the size that the network takes."""
        from keras import ops

        if self.input_size == (self._size, self._size):
            return pixels
        return ops.image.resize(pixels, self.input_size, interpolation="bilinear", antialias=True)

    def _flat(self, output: Any) -> Any:
        from keras import ops

        if self.kind == "filter":
            return ops.mean(output, axis=(1, 2))
        return ops.reshape(output, (-1, math.prod(self._shape)))


def with_slope(tensor: Any) -> Any:
    """What a layer gives, with a leak where it ends in ReLU; else the tensor itself.

    Args:
        tensor: a symbolic output of a layer; a concatenation and pooling are looked through.

    Returns:
        A symbolic tensor of the same shape, in which values below 0 are :data:`_LEAK` times what the ReLU was taken of,
        and no value has a limit.
    """
    import keras

    operation, number, _ = tensor._keras_history
    sources = operation._inbound_nodes[number].input_tensors
    if isinstance(operation, keras.layers.Concatenate):
        parts = [with_slope(source) for source in sources]
        changed = any(part is not source for part, source in zip(parts, sources, strict=True))
        return keras.ops.concatenate(parts, axis=operation.axis) if changed else tensor
    if isinstance(operation, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D):
        pooled = with_slope(sources[0])
        return tensor if pooled is sources[0] else operation(pooled)
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    if type(operation).__name__ in _FLAT_OPERATIONS or (
        activation in _FLAT and isinstance(operation, keras.layers.Activation)
    ):
        return keras.ops.leaky_relu(sources[0], _LEAK)
    if activation not in _FLAT:
        return tensor
    settings = {**operation.get_config(), "activation": None, "name": f"{operation.name}_linear"}
    copy = type(operation).from_config(settings)
    linear = copy(sources[0])
    copy.set_weights(operation.get_weights())
    return keras.ops.leaky_relu(linear, _LEAK)


def _numbers(subject: Subject, layer: str | None) -> int:
    """How many numbers the layers of a network give for an image, up to one of them."""
    total = 0
    for name, tensor in subject.flat.tensors.items():
        total += math.prod(side or 1 for side in getattr(tensor, "shape", ())[1:])
        if name == layer:
            break
    return total
