"""Multiply-accumulates (MACs) of a built network."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import keras

from zoo.core.spec import ModelSpec


def multiply_accumulates(model: keras.Model) -> int:
    """Multiply-accumulates of one image: the sum over all layers, each as often as the graph calls it."""
    nodes = getattr(model, "_nodes_by_depth", {}).values()
    calls = Counter(id(node.operation) for level in nodes for node in level)
    return sum(layer_multiply_accumulates(layer) * max(calls[id(layer)], 1) for layer in model.layers)


def layer_multiply_accumulates(layer: Any) -> int:
    """Kernel elements times the positions where each is used.

    Counted are kernels: of convolutions, dense and recurrent layers, and the projections of attention. What has no
    kernel (pooling, normalisation, activations, the products within attention) is left out, as the field does.
    """
    if isinstance(layer, keras.Model):
        return multiply_accumulates(layer)
    kernels = [weight for weight in layer.weights if weight.name.endswith("kernel") and len(weight.shape) >= 2]
    if not kernels:
        return 0
    if isinstance(layer, keras.layers.EinsumDense) and "." not in layer.equation:
        # An axis that the kernel has too is no position: there each has numbers of its own.
        _, kernel, output = layer.equation.replace("->", ",").split(",")
        sizes = zip(output[1:], layer.output.shape[1:], strict=True)
        return int(math.prod(size for axis, size in sizes if axis not in kernel) * math.prod(layer.kernel.shape))
    # A transposed convolution uses its kernel once for each position of its input, a recurrence for each step of it.
    by_input = "Transpose" in type(layer).__name__ or isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional)
    shape = (layer.input if by_input else layer.output).shape
    return int(math.prod(shape[1:-1]) * sum(math.prod(kernel.shape) for kernel in kernels))


def layer_rows(network: keras.Model, spec: ModelSpec) -> list[dict[str, Any]]:
    """A row for each layer: its name, type, output shape, parameters, multiply-accumulates, and the stage it ends."""
    stages = {stage.layer: stage.name for stage in spec.stages}
    return [
        {
            "layer": layer.name,
            "type": type(layer).__name__,
            "output_shape": "×".join("?" if size is None else str(size) for size in layer.output.shape[1:]),
            "params": layer.count_params(),
            "macs": layer_multiply_accumulates(layer),
            "stage": stages.get(layer.name),
        }
        for layer in network.layers
    ]
