"""The table of Keras's layers is the installed Keras's, and leaves out what must not stand in a network."""

import importlib
import inspect
import json

import pytest

from zoo.catalog.declarative import layer_table, yaml_lines
from zoo.core import paths
from zoo.core.errors import UsageError

TABLE = json.loads(paths.shipped("configs", "layers.json").read_text(encoding="utf-8"))
NODE = yaml_lines.Node(None, 1, "net.yaml")
KINDS = {
    *("activation", "any", "bool", "constraint", "count", "data_format", "dtype", "fraction", "initializer", "layer"),
    *("number", "numbers", "padding", "regularizer", "sizes", "text", "whole"),
}


@pytest.fixture(scope="module")
def keras():
    return importlib.import_module("keras")


def parameters(function):
    return inspect.signature(function).parameters


@pytest.mark.parametrize("section", ["layers", "initializers", "regularizers", "constraints"])
def test_every_entry_exists_with_its_arguments(section, keras):
    module = getattr(keras, section)
    for name, arguments in TABLE[section].items():
        if name in layer_table.OWN:
            continue
        taken = parameters(getattr(module, name).__init__)
        missing = {argument for argument in arguments if argument not in taken}
        assert not missing, (name, missing)
        required = {argument for argument, kind in arguments.items() if kind.endswith("!")}
        assert required == {p.name for p in taken.values() if p.default is p.empty and p.kind == 1} - {"self"}, name
    for alias, name in TABLE["aliases"][section].items():
        assert getattr(module, alias) is getattr(module, name)


def test_every_activation_exists(keras):
    assert all(callable(getattr(keras.activations, name)) for name in TABLE["activations"])
    assert {"relu", "softmax", "tanh", "gelu"} <= set(TABLE["activations"])


def test_every_layer_of_keras_is_there_or_refused(keras):
    known = {*TABLE["layers"], *TABLE["aliases"]["layers"], *layer_table.REFUSED}
    classes = {
        name for name, value in vars(keras.layers).items() if inspect.isclass(value) and issubclass(value, keras.Layer)
    }
    assert classes <= known


def test_every_layer_of_keras_takes_what_all_take(keras):
    assert set(TABLE["common"]) <= set(parameters(keras.Layer.__init__))


def test_layers_of_this_project_exist_with_their_arguments():
    for name, target in layer_table.OWN.items():
        module, _, attribute = target.partition(":")
        value = getattr(importlib.import_module(module), attribute)
        taken = parameters(value.__init__ if inspect.isclass(value) else value)
        assert {argument for argument in TABLE["layers"][name] if argument != "**"} <= set(taken)


def test_kinds_are_known():
    kinds = {
        kind.rstrip("!?")
        for section in ("layers", "initializers", "regularizers", "constraints")
        for entry in TABLE[section].values()
        for argument, kind in entry.items()
        if argument != "**"
    }
    assert kinds <= KINDS


def test_what_runs_code_is_refused_even_by_an_alias():
    for name in ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"):
        assert name not in TABLE["layers"]
        assert name not in TABLE["aliases"]["layers"].values()
        with pytest.raises(UsageError, match="runs code"):
            layer_table.find("layers", name, NODE)


def test_find():
    found = layer_table.find("layers", "MaxPool2D", NODE)
    assert found.name == "MaxPooling2D"
    assert list(found.arguments)[:2] == ["pool_size", "strides"]
    assert found.arguments["strides"].nullable
    assert not found.arguments["dtype"].positional
    assert layer_table.find("layers", "Conv2D", NODE).arguments["filters"].required
    assert "dtype" not in layer_table.find("layers", "LocalResponseNormalization", NODE).arguments
    with pytest.raises(UsageError, match=r"no initializer 'HeNorml'; did you mean HeNormal\?"):
        layer_table.find("initializers", "HeNorml", NODE)


@pytest.mark.parametrize(
    ("installed", "newer"), [("3.15.1", False), ("3.15.0", False), ("3.16.0", True), ("4.0", True)]
)
def test_which_keras_is_newer(installed, newer, monkeypatch):
    monkeypatch.setattr(layer_table, "version", lambda _: installed)
    layer_table.keras_is_newer.cache_clear()
    assert layer_table.keras_is_newer() is (newer and TABLE["keras"].startswith("3.15"))
    layer_table.keras_is_newer.cache_clear()
