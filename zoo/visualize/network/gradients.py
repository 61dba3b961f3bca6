"""Gradients, which Keras has no words for: the one place that knows how TensorFlow, JAX and PyTorch say them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from zoo.core.errors import UnavailableError

#: Takes arrays; gives gradients, one for each of the first arrays, and whatever else the function gave.
Gradient = Callable[..., tuple[list[np.ndarray], Any]]


def gradient_of(function: Callable[..., tuple[Any, Any]], *, wrt: int = 1) -> Gradient:
    """The gradient of a function of arrays, compiled for the Keras backend that runs.

    Args:
        function: takes tensors, and uses nothing but Keras's operations and layers on them; gives the values to
            differentiate, of any shape, and a tensor or a structure of tensors that are wanted besides. Where the
            values of a batch do not depend on one another, each image has its own gradient.
        wrt: how many of the arguments, from the first, the sum of the values is differentiated by.

    Returns:
        A function of NumPy arrays, which stay as they are: float32 for those that are differentiated by.

    Raises:
        UnavailableError: the backend has no gradients, or the values do not depend on an argument in a way that could
            be differentiated; the latter when it is called.
    """
    backend = keras.backend.backend()
    makers = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    if backend not in makers:
        raise UnavailableError(f"Keras on {backend} has no gradients; set KERAS_BACKEND to tensorflow, jax or torch.")
    run = makers[backend](function, wrt)

    def call(*arrays: Any) -> tuple[list[np.ndarray], Any]:
        found, more = run(*map(keras.ops.convert_to_tensor, arrays))
        if any(gradient is None for gradient in found):
            raise UnavailableError(
                "The network has no gradient here: something in it cannot be differentiated, such as argmax or a cast "
                "to whole numbers; occlusion and score-cam do without."
            )
        to_numpy = keras.ops.convert_to_numpy
        return [to_numpy(gradient) for gradient in found], keras.tree.map_structure(to_numpy, more)

    return call


def chosen(logits: Any, targets: Any) -> tuple[Any, Any]:
    """The logit of the class of each image, (n, 1), and all logits, (n, classes)."""
    targets = keras.ops.expand_dims(keras.ops.cast(targets, "int32"), 1)
    return keras.ops.take_along_axis(logits, targets, axis=1), logits


def _tensorflow(function: Callable[..., tuple[Any, Any]], wrt: int) -> Callable[..., tuple[list[Any], Any]]:
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(*tensors: Any) -> tuple[list[Any], Any]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors[:wrt])
            values, more = function(*tensors)
        return tape.gradient(values, list(tensors[:wrt])), more

    return run  # type: ignore[no-any-return]


def _jax(function: Callable[..., tuple[Any, Any]], wrt: int) -> Callable[..., tuple[list[Any], Any]]:
    import jax

    def total(first: tuple[Any, ...], rest: tuple[Any, ...]) -> tuple[Any, Any]:
        values, more = function(*first, *rest)
        return keras.ops.sum(values), more

    differentiated = jax.jit(jax.value_and_grad(total, has_aux=True))

    def run(*tensors: Any) -> tuple[list[Any], Any]:
        (_, more), found = differentiated(tensors[:wrt], tensors[wrt:])
        return list(found), more

    return run


def _torch(function: Callable[..., tuple[Any, Any]], wrt: int) -> Callable[..., tuple[list[Any], Any]]:
    import torch

    def run(*tensors: Any) -> tuple[list[Any], Any]:
        first = [tensor.detach().clone().requires_grad_(True) for tensor in tensors[:wrt]]
        with torch.enable_grad():
            values, more = function(*first, *tensors[wrt:])
            total = keras.ops.sum(values)
            found = torch.autograd.grad(total, first, allow_unused=True) if total.requires_grad else [None] * wrt
        return list(found), keras.tree.map_structure(lambda tensor: tensor.detach(), more)

    return run
