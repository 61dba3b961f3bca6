"""Gradients on any Keras backend: the only place that calls TensorFlow, JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.core.errors import UnavailableError

#: Takes arrays; returns the gradients by the first of them, and the function's auxiliary output.
Gradient = Callable[..., tuple[list[np.ndarray], Any]]
_Compiled = Callable[..., tuple[list[Any], Any]]


def gradient_of(function: Callable[..., tuple[Any, Any]], *, wrt: int = 1) -> Gradient:
    """The gradient of a function, compiled for the current Keras backend.

    Args:
        function: takes tensors, uses only ``keras.ops`` and layers, and returns the values to differentiate, whose sum
            is differentiated, and an auxiliary tensor or structure of tensors.
        wrt: how many of the first arguments, float32, to differentiate by.

    Raises:
        UnavailableError: the backend has no gradients, or (when called) the values are not differentiable.
    """
    backend = keras.backend.backend()
    makers = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    if backend not in makers:
        raise UnavailableError(f"Keras on {backend} has no gradients; set KERAS_BACKEND to tensorflow, jax or torch.")
    run = makers[backend](function, wrt)

    def call(*arrays: Any) -> tuple[list[np.ndarray], Any]:
        gradients, auxiliary = run(*map(keras.ops.convert_to_tensor, arrays))
        if any(gradient is None for gradient in gradients):
            raise UnavailableError(
                "The network has no gradient here: something in it cannot be differentiated, such as argmax or a cast "
                "to integers; use occlusion or scorecam, which need no gradient."
            )
        to_numpy = keras.ops.convert_to_numpy
        return [to_numpy(gradient) for gradient in gradients], keras.tree.map_structure(to_numpy, auxiliary)

    return call


def select_logit(logits: Any, targets: Any) -> tuple[Any, Any]:
    """The target class's logit of each image, (n, 1), and all logits, (n, classes)."""
    targets = keras.ops.expand_dims(keras.ops.cast(targets, "int32"), 1)
    return keras.ops.take_along_axis(logits, targets, axis=1), logits


def _tensorflow(function: Callable[..., tuple[Any, Any]], wrt: int) -> _Compiled:
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(*tensors: Any) -> tuple[list[Any], Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors[:wrt])
            values, auxiliary = function(*tensors)
        return tape.gradient(values, list(tensors[:wrt])), auxiliary

    return run  # type: ignore[no-any-return]


def _jax(function: Callable[..., tuple[Any, Any]], wrt: int) -> _Compiled:
    import jax

    def total(first: tuple[Any, ...], rest: tuple[Any, ...]) -> tuple[Any, Any]:
        values, auxiliary = function(*first, *rest)
        return keras.ops.sum(values), auxiliary

    differentiated = jax.jit(jax.value_and_grad(total, has_aux=True))

    def run(*tensors: Any) -> tuple[list[Any], Any]:
        (_, auxiliary), gradients = differentiated(tensors[:wrt], tensors[wrt:])
        return list(gradients), auxiliary

    return run


def _torch(function: Callable[..., tuple[Any, Any]], wrt: int) -> _Compiled:
    import torch

    def run(*tensors: Any) -> tuple[list[Any], Any]:
        first = [tensor.detach().clone().requires_grad_(True) for tensor in tensors[:wrt]]
        with torch.enable_grad():
            values, auxiliary = function(*first, *tensors[wrt:])
            total = keras.ops.sum(values)
            found = torch.autograd.grad(total, first, allow_unused=True) if total.requires_grad else [None] * wrt
        return list(found), keras.tree.map_structure(lambda tensor: tensor.detach(), auxiliary)

    return run
