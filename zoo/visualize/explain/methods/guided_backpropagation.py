"""Guided backpropagation: the gradient along the ways on which every ReLU speaks for the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import PixelMethod
from zoo.visualize.network.subject import Subject

if TYPE_CHECKING:
    from zoo.visualize.network.gradients import Gradient

#: Functions whose gradient is 0 where they are not positive.
_RELUS = ("relu", "relu6")


class GuidedBackpropagation(PixelMethod):
    """Springenberg et al., "Striving for Simplicity: The All Convolutional Net", 2014 (arXiv:1412.6806), section 3.4.

    On its way back, only the positive part of the gradient passes a ReLU. The largest of the channels' absolute values
    is taken. It draws edges sharply, and does so nearly whatever the class is (Adebayo et al. 2018, arXiv:1810.03292).
    """

    name = "guidedbackprop"
    title = "Guided backpropagation"
    paper = "Springenberg et al. 2014, arXiv:1412.6806"

    def __init__(self, subject: Subject, *, layer: str | None = None) -> None:
        """Take a network.

        Raises:
            UsageError: a layer was named, or the network has no ReLU.
        """
        super().__init__(subject, layer=layer)
        if not any(_is_relu(operation) for operation in subject.flat.model.operations):
            raise UsageError(f"{subject.name} has no ReLU, and {self.title} is about what passes one; take saliency.")
        self._gradient: Gradient | None = None

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The absolute guided gradient."""
        if self._gradient is None:
            self._gradient = _guided(self.subject)
        (gradients,), _ = self._gradient(pixels, targets)
        found: np.ndarray = np.abs(gradients).max(axis=-1)
        return found

    def blank(self, values: np.ndarray) -> str:
        """Nothing passes."""
        return "no way leads from this class back to a pixel on which every ReLU speaks for the class"


def _is_relu(operation: Any) -> bool:
    """Whether what a layer or an operation gives comes out of a ReLU."""
    import keras

    activation = getattr(operation, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return _is_relu(activation)
    if isinstance(operation, keras.layers.ReLU):
        return not operation.negative_slope
    return type(operation).__name__.lower() in _RELUS or getattr(activation, "__name__", "") in _RELUS


def _guided(subject: Subject) -> Gradient:
    """The gradient of a class's logit by the pixels, through a copy of the graph that has a gate behind each ReLU.

    A ReLU's own gradient is 0 where it is not active already; what the gate takes away besides is what is negative.
    """
    import keras

    from zoo.visualize.network.gradients import chosen, gradient_of

    @keras.ops.custom_gradient  # type: ignore[untyped-decorator]
    def positive(x: Any) -> Any:
        def back(*args: Any, upstream: Any = None) -> Any:
            (gradient,) = args if upstream is None else (upstream,)
            return keras.ops.relu(gradient)

        return x, back

    class Gate(keras.layers.Layer):  # type: ignore[misc]
        """Lets everything through, but only positive gradients back."""

        def call(self, x: Any) -> Any:
            return positive(x)

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        output = operation(*args, **kwargs)
        return Gate()(output) if _is_relu(operation) else output

    network = keras.models.clone_model(
        keras.Model(subject.flat.model.input, subject.flat.logits),
        call_function=call,
        clone_function=lambda layer: layer,
    )
    return gradient_of(lambda pixels, targets: chosen(network(pixels, training=False), targets))
