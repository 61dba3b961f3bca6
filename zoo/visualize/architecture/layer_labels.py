"""Labels of layers in a drawing, such as ``conv 3×3, 64``, and their kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import keras

#: Kinds of layers, in the order of the legend, and their names there.
KINDS = {
    "input": "input",
    "convolution": "convolution",
    "depthwise": "depthwise or separable convolution",
    "dense": "dense",
    "attention": "attention, recurrence",
    "pooling": "pooling, resizing",
    "light": "normalisation, activation, arithmetic",
    "other": "another layer",
    "merge": "sum, product, concatenation",
}

#: Labels of minor layers, by class, that are not the words of the class's name.
_NOTES = {
    "BatchNormalization": "BN",
    "LayerNormalization": "LN",
    "GroupNormalization": "GN",
    "RMSNormalization": "RMS norm",
    "UnitNormalization": "unit norm",
    "SpectralNormalization": "spectral norm",
    "Normalization": "normalise",
    "Rescaling": "scale",
    "LayerScale": "layer scale",
    "CustomScaleLayer": "scaled sum",
    "ZeroPadding1D": "pad",
    "ZeroPadding2D": "pad",
    "ZeroPadding3D": "pad",
    "Cropping2D": "crop",
    "SpatialDropout2D": "dropout",
    "GaussianNoise": "noise",
    "ReLU": "ReLU",
    "LeakyReLU": "leaky ReLU",
    "PReLU": "PReLU",
    "ELU": "ELU",
}
_ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "silu": "swish",
    "hard_silu": "hard swish",
}
#: Signs of layers that merge tensors, by class.
_MERGES = {
    "Add": "+",
    "Subtract": "−",
    "Multiply": "×",
    "Divide": "÷",
    "Average": "mean",
    "Maximum": "max",
    "Minimum": "min",
    "Concatenate": "concat",
    "Dot": "dot",
    "Matmul": "matmul",
    "Einsum": "einsum",
    "CustomScaleLayer": "+",
}


@dataclass(frozen=True)
class LayerLabel:
    """The label of a layer; ``notes`` are operations within, and a ``minor`` layer is fused with one beside it."""

    kind: str
    what: str
    notes: tuple[str, ...] = ()
    minor: bool = False


def label_of(operation: Any, inputs: int) -> LayerLabel:
    """The label of a Keras layer or operation with that many distinct input tensors."""
    name = type(operation).__name__
    settings = operation.get_config() if isinstance(operation, keras.layers.Layer) else {}
    if isinstance(operation, keras.layers.InputLayer):
        return LayerLabel("input", "input")
    if inputs > 1 and name in _MERGES:
        return LayerLabel("merge", _MERGES[name], ("scaled",) if name == "CustomScaleLayer" else ())
    if name in _NOTES and (name != "ReLU" or isinstance(operation, keras.layers.Layer)):
        note = "ReLU6" if name == "ReLU" and settings.get("max_value") == 6 else _NOTES[name]
        return LayerLabel("light", note, minor=True)
    if isinstance(operation, keras.layers.Activation):
        return LayerLabel("light", _activation(operation), minor=True)
    depthwise = name.startswith(("DepthwiseConv", "SeparableConv"))
    if depthwise or (_is_convolution(operation) and getattr(operation, "groups", 1) == operation.filters > 1):
        verb = "separable" if name.startswith("SeparableConv") else "depthwise"
        about = {**settings, "groups": 1, "filters": settings.get("filters") if verb == "separable" else None}
        return LayerLabel("depthwise", _convolution(verb, about), _after(operation))
    if _is_convolution(operation):
        verb = "transposed conv" if "Transpose" in name else "conv"
        return LayerLabel("convolution", _convolution(verb, settings), _after(operation))
    if isinstance(operation, keras.layers.Dense):
        return LayerLabel("dense", f"dense, {operation.units}", _after(operation))
    if isinstance(operation, keras.layers.EinsumDense):
        return LayerLabel("dense", f"dense, {operation.equation}", _after(operation))
    if name.startswith("Global"):
        return LayerLabel("pooling", f"global {'max' if 'Max' in name else 'mean'}")
    if "pool_size" in settings:
        return LayerLabel("pooling", _convolution("max pool" if "Max" in name else "mean pool", settings))
    if "UpSampling" in name or name == "Resizing":
        size = settings.get("size") or (settings.get("height"), settings.get("width"))
        return LayerLabel("pooling", f"{'upsample' if 'Up' in name else 'resize'} {_times(size)}")
    if "Attention" in name or isinstance(operation, keras.layers.RNN | keras.layers.Bidirectional):
        heads = settings.get("num_heads")
        return LayerLabel("attention", _spaced(name) + (f", {heads} heads" if heads else ""))
    if isinstance(operation, keras.layers.Layer):
        return LayerLabel("other" if operation.weights else "light", _spaced(name), minor=not operation.weights)
    return LayerLabel("light", _spaced(name), minor=inputs == 1)


def _is_convolution(operation: Any) -> bool:
    return "Conv" in type(operation).__name__ and hasattr(operation, "kernel_size") and hasattr(operation, "filters")


def _convolution(verb: str, settings: dict[str, Any]) -> str:
    """``conv 3×3, 64, /2``."""
    size = settings.get("kernel_size") or settings["pool_size"]
    text = f"{verb} {_times(size)}"
    if settings.get("filters"):
        text += f", {settings['filters']}"
    strides = settings.get("strides") or size
    if any(step != 1 for step in _tuple(strides)):
        text += f", {'×' if 'transposed' in verb else '/'}{_times(strides, square=False)}"
    if any(step != 1 for step in _tuple(settings.get("dilation_rate", 1))):
        text += f", dilated {_times(settings['dilation_rate'], square=False)}"
    if settings.get("groups", 1) > 1:
        text += f", {settings['groups']} groups"
    return text


def _after(operation: Any) -> tuple[str, ...]:
    """The activation of a layer, if it has one."""
    name = _activation(operation)
    return () if name == "linear" else (name,)


def _activation(operation: Any) -> str:
    activation = getattr(operation, "activation", None)
    name = str(getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__)
    return _ACTIVATIONS.get(name, name.replace("_", " "))


def _times(size: Any, *, square: bool = True) -> str:
    """``3×3``; one number if all are equal and ``square`` is false."""
    sizes = _tuple(size)
    if not square and len(set(sizes)) == 1:
        return str(sizes[0])
    return "×".join(map(str, sizes))


def _tuple(size: Any) -> tuple[Any, ...]:
    return tuple(size) if isinstance(size, list | tuple) else (size,)


def _spaced(name: str) -> str:
    """A class's name as words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).lower()
