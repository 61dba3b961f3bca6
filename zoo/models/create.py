"""Build a network by name, with trained weights."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from zoo.catalog import registry
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import ModelSpec
from zoo.models.graph import as_functional, cut_at, penultimate_layer, renumber_layers, with_trunk_output
from zoo.models.inputs import preprocess, raw_input
from zoo.models.loading import load_weights
from zoo.pretrained import keras_file

Shape = tuple[int, int, int]

#: Ends of names that mean a file of weights, and not a tag.
WEIGHT_FILES = (".h5", ".hdf5", ".keras", ".npz", ".npy")


def create_model(
    name: str | ModelSpec,
    weights: str | os.PathLike[str] | None = "imagenet",
    *,
    num_classes: int | None = None,
    include_top: bool = True,
    pooling: str | None = None,
    preprocessing: bool = True,
    input_shape: Shape | None = None,
    classifier_activation: str | None = "softmax",
    training: bool = False,
) -> keras.Model:
    """Build a network by name, with trained weights.

    >>> create_model("resnet50").predict(images)  # uint8 or float, RGB 0-255, (n, 224, 224, 3)

    Args:
        name: a name of the registry, ``NAME:TAG``, a ``.keras`` file, or a spec. A spec with a ``cut`` gives the
            network up to there, and takes no other argument but the weights.
        weights: ``"imagenet"`` for the network's published weights (its preferred ones if it has none of that name),
            another of its tags, a file (legacy ``.h5``, ``.weights.h5``, ``.keras``, ``.npz`` or ``.npy``), or ``None``
            for random ones.
        num_classes: number of outputs; the network's own if omitted. If the weights have another number, the last layer
            is left random, to be trained.
        include_top: whether the classifier is part of the network.
        pooling: without the classifier, ``"avg"`` or ``"max"`` over the feature map, or ``None`` for the map.
        preprocessing: whether the network takes raw pixels and preprocesses them itself; otherwise it takes pixels
            preprocessed by ``spec.preprocessing``.
        input_shape: height, width and 3; the network's own if omitted.
        classifier_activation: activation of the last layer, ``None`` for logits.
        training: whether to add what only training needs, such as GoogLeNet's auxiliary heads, which may be further
            outputs.

    Returns:
        A functional model from float32 ``(batch, height, width, 3)`` to float32: probabilities ``(batch, classes)``,
        or features ``(batch, channels)`` with pooling, or ``(batch, rows, columns, channels)``. For a spec with a
        ``cut`` that names several, a list of outputs in the order of ``cut.fields``.

    Raises:
        UsageError: unknown name or tag, or an argument out of range.
        WeightsError: weights that cannot be found or downloaded, or do not fit.
    """
    spec, tag = _find_spec(name)
    if spec.cut is not None:
        return _create_cut(spec, tag or weights)
    if spec.file:
        chosen = (num_classes, include_top, pooling, preprocessing, input_shape, classifier_activation)
        if chosen != (None, True, None, True, None, "softmax"):
            raise UsageError(f"{spec.file} is a finished network; only one from the registry can be built differently.")
        return _load_file(spec)

    shape = _check(spec, num_classes, include_top, pooling, input_shape)
    classes = num_classes or spec.classes
    path = _find_weights(spec, tag or weights, include_top) if weights is not None else None
    options = {
        **spec.arguments,
        "include_top": include_top,
        "input_shape": shape,
        "pooling": pooling,
        "classes": classes,
        "classifier_activation": classifier_activation,
        "weights": None,
        **({"training": True} if training else {}),
    }
    model = _build(spec, options, preprocessing)
    if path is not None:
        load_weights(model, spec, path, include_top=include_top, new_top=classes != spec.classes)
    return model


def _find_spec(name: str | ModelSpec) -> tuple[ModelSpec, str | None]:
    """The spec, and the tag where the name has one."""
    if isinstance(name, ModelSpec):
        return name, None
    if keras_file.is_file(name):
        return keras_file.read_spec(name), None
    return registry.resolve(name)


def _create_cut(spec: ModelSpec, weights: str | os.PathLike[str] | None) -> keras.Model:
    """A network up to its spec's cut, with the classifier only if something of that is wanted."""
    assert spec.cut is not None
    cut, whole = spec.cut, replace(spec, cut=None)
    stages = [stage.name for stage in spec.stages]
    if spec.file:
        model = as_functional(create_model(whole))
        return cut_at(model, replace(cut, layer=cut.layer or penultimate_layer(model)), also=stages)
    named = {layer for layer in (cut.layer, *cut.beside) if layer is not None}
    before_classifier = cut.top and cut.layer is None
    include_top = before_classifier or cut.probabilities
    if named and not include_top:
        trunk = create_model(whole, None, include_top=False)
        include_top = not named.issubset(operation.name for operation in trunk.operations)
    model = create_model(whole, weights, include_top=include_top)
    end = cut.layer
    if before_classifier:
        end = penultimate_layer(model)
    elif end is None and include_top:
        model, end = with_trunk_output(model, create_model(whole, weights, include_top=False))
    return cut_at(model, replace(cut, layer=end or model.operations[-1].name), also=stages)


def _load_file(spec: ModelSpec) -> keras.Model:
    """A network that Keras saved, loaded in safe mode (Keras's default); RGB becomes grey if it takes one channel."""
    try:
        model = keras.models.load_model(spec.file, compile=False)
    except (ValueError, TypeError, KeyError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UnavailableError(f"{spec.file} cannot be loaded by Keras {keras.__version__}: {reason}") from error
    if spec.preprocessing.identity:
        return model
    raw = raw_input((*spec.input_size, 3))
    return _applied_to(model, raw, preprocess(raw, spec.preprocessing))


def _check(
    spec: ModelSpec, num_classes: int | None, include_top: bool, pooling: str | None, input_shape: Shape | None
) -> Shape:
    """The input shape, once all arguments are known to make sense."""
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("zoo's networks are channels_last; set image_data_format so in keras.json.")
    if num_classes is not None and num_classes < 1:
        raise UsageError(f"num_classes is at least 1. Received: {num_classes}")
    if num_classes is not None and not include_top:
        raise UsageError("num_classes belongs to the classifier, which include_top=False leaves out.")
    if pooling not in (None, "avg", "max"):
        raise UsageError(f"pooling is 'avg', 'max' or None. Received: {pooling!r}")
    shape = tuple(input_shape) if input_shape is not None else (*spec.input_size, 3)
    if len(shape) != 3 or shape[2] != 3 or not all(isinstance(side, int) for side in shape):
        raise UsageError(f"input_shape is (height, width, 3), in whole numbers. Received: {shape}")
    if min(shape[:2]) < spec.min_size:
        raise UsageError(f"{spec.name} takes images of at least {spec.min_size} pixels a side. Received: {shape}")
    return shape


def _find_weights(spec: ModelSpec, weights: str | os.PathLike[str], include_top: bool) -> Path:
    """The file that ``weights`` means, downloaded if necessary.

    With ``include_top`` the file has the classifier even if its last layer is then replaced, because VGG's and
    MobileNetV3's classifiers have more trained layers.
    """
    text = os.fspath(weights)
    is_path = not isinstance(weights, str) or os.sep in text or text.endswith(WEIGHT_FILES)
    if text not in spec.weights and (is_path or Path(text).is_file()):
        return Path(text)
    tag = None if text == "imagenet" and text not in spec.weights else text
    # Imported here because a network with random weights needs no cache.
    from zoo.pretrained import weights as pretrained

    return pretrained.fetch(spec, tag, include_top=include_top).path


def _build(spec: ModelSpec, options: dict[str, Any], preprocessing: bool) -> keras.Model:
    """Call the builder with the options that it takes, and put the preprocessing before its network."""
    builder = _builder(spec)
    parameters = inspect.signature(builder).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        taken = {key: value for key, value in options.items() if key != "training" or key in parameters}
    else:
        taken = {key: value for key, value in options.items() if key in parameters}
    if not preprocessing:
        if "input_shape" in taken:
            taken["input_shape"] = (*options["input_shape"][:2], spec.preprocessing.channels)
        model = builder(**taken)
    else:
        raw = raw_input(options["input_shape"])
        x = preprocess(raw, spec.preprocessing)
        if "input_shape" in taken:
            taken["input_shape"] = tuple(x.shape[1:])
        model = (
            builder(**taken, input_tensor=x) if "input_tensor" in parameters else _applied_to(builder(**taken), raw, x)
        )
    renumber_layers(model)
    return model


def _builder(spec: ModelSpec) -> Callable[..., Any]:
    """The function that builds a network; UnavailableError if it cannot be imported."""
    if callable(spec.builder):
        return spec.builder
    module, _, function = spec.builder.partition(":")
    try:
        builder: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise UnavailableError(f"The builder of {spec.name}, {spec.builder}, cannot be imported: {error}.") from error
    return builder


def _applied_to(bare: keras.Model, raw: Any, x: Any) -> keras.Model:
    """The bare network applied to the tensor ``x``, which comes from the input ``raw``.

    Its layers are copied, because a layer in two graphs has the ``output`` of the first. A subclassed model has no
    graph, and stays one layer.
    """
    if isinstance(bare, keras.Sequential):
        bare = keras.Model(bare.inputs, bare.outputs, name=bare.name)
    if not isinstance(bare, keras.Function):
        return keras.Model(raw, bare(x), name=bare.name)

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = keras.tree.map_structure(lambda value: x if value is raw else value, (args, kwargs))
        return layer(*args, **kwargs)

    inputs = [raw] if isinstance(bare.input, list) else raw
    copy = keras.models.clone_model(bare, input_tensors=inputs, call_function=call)
    copy.set_weights(bare.get_weights())
    return copy
