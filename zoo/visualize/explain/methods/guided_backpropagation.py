"""Guided backpropagation: only positive gradients pass a ReLU on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import PixelMethod
from zoo.visualize.network.inspected_model import InspectedModel

if TYPE_CHECKING:
    from zoo.visualize.network.gradients import Gradient

#: Activations whose gradient is 0 where the output is.
_RELUS = ("relu", "relu6")


class GuidedBackpropagation(PixelMethod):
    """Springenberg et al., "Striving for Simplicity: The All Convolutional Net", 2014 (arXiv:1412.6806), section 3.4.

    The maximum over the channels of the absolute guided gradient. It draws sharp edges, nearly whatever the class is
    (Adebayo et al. 2018, arXiv:1810.03292).
    """

    name = "guidedbackprop"
    title = "Guided backpropagation"
    paper = "Springenberg et al. 2014, arXiv:1412.6806"
    summary = "the gradient through positive ReLU gradients only: sharp edges, nearly whatever the class"

    def __init__(self, net: InspectedModel, *, layer: str | None = None) -> None:
        """Prepare the method.

        Raises:
            UsageError: a layer was given, or the model has no ReLU.
        """
        super().__init__(net, layer=layer)
        if not any(_is_relu(operation) for operation in net.flat.model.operations):
            raise UsageError(f"{net.name} has no ReLU, and {self.title} is about what passes one; use saliency.")
        self._gradient: Gradient | None = None

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The absolute guided gradient."""
        if self._gradient is None:
            self._gradient = _guided(self.net)
        (gradients,), _ = self._gradient(pixels, targets)
        found: np.ndarray = np.abs(gradients).max(axis=-1)
        return found

    def blank(self, values: np.ndarray) -> str:
        """No gradient reaches the pixels."""
        return "no way leads from this class back to a pixel on which every ReLU speaks for the class"


def _is_relu(operation: Any) -> bool:
    """Whether a layer or operation ends in a ReLU."""
    import keras

    activation = getattr(operation, "activation", None)
    if isinstance(activation, keras.layers.Layer):
        return _is_relu(activation)
    if isinstance(operation, keras.layers.ReLU):
        return not operation.negative_slope
    return type(operation).__name__.lower() in _RELUS or getattr(activation, "__name__", "") in _RELUS


def _guided(net: InspectedModel) -> Gradient:
    """The gradient of a class's logit by the pixels, in a copy of the graph with a gate behind each ReLU.

    A ReLU's own gradient is 0 where it is inactive; the gate also drops negative gradients.
    """
    import keras

    from zoo.visualize.network.gradients import gradient_of, select_logit

    @keras.ops.custom_gradient  # type: ignore[untyped-decorator]
    def positive(x: Any) -> Any:
        def back(*args: Any, upstream: Any = None) -> Any:
            (gradient,) = args if upstream is None else (upstream,)
            return keras.ops.relu(gradient)

        return x, back

    class Gate(keras.layers.Layer):  # type: ignore[misc]
        """The identity, which lets only positive gradients back."""

        def call(self, x: Any) -> Any:
            return positive(x)

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        output = operation(*args, **kwargs)
        return Gate()(output) if _is_relu(operation) else output

    network = keras.models.clone_model(
        keras.Model(net.flat.model.input, net.flat.logits), call_function=call, clone_function=lambda layer: layer
    )
    return gradient_of(lambda pixels, targets: select_logit(network(pixels, training=False), targets))
