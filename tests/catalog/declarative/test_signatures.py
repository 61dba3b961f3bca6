"""Signatures read from Keras's source are those of the imported Keras; what must not stand in a network is missing."""

import importlib
import inspect

import pytest

from zoo.catalog.declarative import arguments, signatures, yaml_lines
from zoo.catalog.declarative.signatures import OWN, REFUSED
from zoo.core.errors import UsageError

NODE = yaml_lines.Node(None, 1, "net.yaml")
LEFT_OUT = signatures._LEFT_OUT
SECTIONS = ["layers", "initializers", "regularizers", "constraints"]


@pytest.fixture(scope="module")
def keras():
    return importlib.import_module("keras")


def parameters(function):
    return inspect.signature(function).parameters


@pytest.mark.parametrize("section", SECTIONS)
def test_every_signature_is_that_of_the_imported_class(section, keras):
    module = getattr(keras, section)
    for name in signatures.names(section) - OWN.keys():
        found = signatures.find(section, name, NODE)
        kind = getattr(module, name)
        assert getattr(module, found.name) is kind
        taken = [
            p for p in parameters(kind.__init__).values() if p.name not in signatures._LEFT_OUT and p.kind in (1, 3)
        ]
        own = [argument for argument in found.arguments.values() if argument.positional]
        assert [argument.name for argument in own] == [p.name for p in taken], name
        assert [argument.required for argument in own] == [p.default is p.empty for p in taken], name
        assert [argument.nullable for argument in own] == [p.default is None for p in taken], name


def test_every_activation_exists(keras):
    assert all(inspect.isfunction(getattr(keras.activations, name)) for name in signatures.activations())
    assert {"relu", "softmax", "tanh", "gelu"} <= signatures.activations()


def test_every_layer_of_keras_is_there_or_refused(keras):
    classes = {
        name for name, value in vars(keras.layers).items() if inspect.isclass(value) and issubclass(value, keras.Layer)
    }
    assert classes == (signatures.names("layers") - OWN.keys()) | REFUSED.keys() & classes


def test_every_layer_of_keras_takes_what_all_take(keras):
    assert set(signatures._COMMON) <= set(parameters(keras.Layer.__init__))


def test_layers_of_this_project_exist_with_their_arguments():
    for name, target in OWN.items():
        module, _, attribute = target.partition(":")
        value = getattr(importlib.import_module(module), attribute)
        taken = parameters(value.__init__ if inspect.isclass(value) else value)
        own = [a.name for a in signatures.find("layers", name, NODE).arguments.values() if a.positional]
        assert own == [key for key in list(taken)[1:] if key not in ("name", "kwargs")]


def test_kinds_are_known():
    kinds = {
        argument.kind
        for section in SECTIONS
        for name in signatures.names(section)
        for argument in signatures.find(section, name, NODE).arguments.values()
    }
    special = {"activation", "any", "constraint", "dtype", "initializer", "layer", "padding", "regularizer"}
    assert kinds <= special | arguments.CHECKS.keys()


@pytest.mark.parametrize(
    ("layer", "argument", "kind"),
    [
        ("Conv2D", "filters", "count"),
        ("Conv2D", "strides", "sizes"),
        ("Conv2D", "use_bias", "bool"),
        ("Conv2D", "padding", "padding"),
        ("ZeroPadding2D", "padding", "whole"),
        ("BatchNormalization", "axis", "whole"),
        ("BatchNormalization", "momentum", "numbers"),
        ("BatchNormalization", "gamma_initializer", "initializer"),
        ("Dropout", "rate", "fraction"),
        ("Dense", "kernel_regularizer", "regularizer"),
        ("Dense", "trainable", "bool"),
        ("TimeDistributed", "layer", "layer"),
        ("RandomRotation", "factor", "numbers"),
        ("LocalResponseNormalization", "alpha", "numbers"),
    ],
)
def test_kinds_of_arguments(layer, argument, kind):
    assert signatures.find("layers", layer, NODE).arguments[argument].kind == kind


def test_what_runs_code_is_refused_even_by_an_alias():
    for name in ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"):
        assert name not in signatures.names("layers")
        with pytest.raises(UsageError, match="runs code"):
            signatures.find("layers", name, NODE)
    exports = signatures._exports("keras.layers")
    assert not {exports[name][1] for name in signatures.names("layers") - OWN.keys()} & REFUSED.keys()


def test_find():
    found = signatures.find("layers", "MaxPool2D", NODE)
    assert found.name == "MaxPooling2D"
    assert list(found.arguments)[:2] == ["pool_size", "strides"]
    assert found.arguments["strides"].nullable
    assert not found.arguments["dtype"].positional
    assert signatures.find("layers", "Conv2D", NODE).arguments["filters"].required
    assert "dtype" not in signatures.find("layers", "LocalResponseNormalization", NODE).arguments
    with pytest.raises(UsageError, match=r"no initializer 'HeNorml'. Did you mean 'HeNormal'\?"):
        signatures.find("initializers", "HeNorml", NODE)
