"""Layers, initializers, regularizers and constraints with their arguments, read from the installed Keras's source.

Reading the source instead of importing it takes milliseconds instead of seconds, so that a mistake in a YAML file is
reported before Keras starts.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from zoo.catalog.declarative.yaml_lines import Node, did_you_mean
from zoo.core.errors import UnavailableError

Section: TypeAlias = Literal["layers", "initializers", "regularizers", "constraints"]

#: Layers of zoo that stand beside those of Keras. A function takes the tensor first.
OWN: Mapping[str, str] = MappingProxyType(
    {
        "FractionalMaxPooling2D": "zoo.layers.fractional:FractionalMaxPooling2D",
        "LocalResponseNormalization": "zoo.layers.normalization:local_response_normalization",
    }
)

_CODE = "runs code that the file does not hold"
_TEXT = "takes no images"
_PART = "is a part of other layers"
_TRAINING = "mixes images with their labels, which a recipe does"
#: Layers of Keras that no network here may have, and why.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"), _CODE),
        **dict.fromkeys(("Layer", "Wrapper", "RNN", "StackedRNNCells", "GRUCell", "LSTMCell", "SimpleRNNCell"), _PART),
        **dict.fromkeys(("StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"), _TEXT),
        **dict.fromkeys(("CategoryEncoding", "Discretization", "Embedding", "ReversibleEmbedding"), _TEXT),
        **dict.fromkeys(("MelSpectrogram", "STFTSpectrogram", "MaxNumBoundingBoxes"), _TEXT),
        **dict.fromkeys(("CutMix", "MixUp"), _TRAINING),
        "InputLayer": "is there already: 'input' at the top says its size",
        "Pipeline": "is written as the layers that it holds",
    }
)

#: Layers that join a list of tensors.
MERGES = frozenset({"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"})
#: Layers that take a query, a value and optionally a key: as a list, or as arguments. One tensor stands for all.
ATTENTION_LISTS = frozenset({"AdditiveAttention", "Attention"})
ATTENTION_ARGUMENTS = frozenset({"GroupQueryAttention", "MultiHeadAttention"})

#: Exported names that are no layer, initializer, regularizer or constraint.
_NOT_CLASSES = frozenset({"Initializer", "Regularizer", "Constraint", "Input", "InputSpec"})
#: Arguments that no file can give.
_LEFT_OUT = frozenset({"self", "name", "weights", "quantization_config", "gptq_unpacked_column_size"})
#: What every layer of Keras takes besides its own arguments.
_COMMON = {"activity_regularizer": "regularizer", "trainable": "bool", "dtype": "dtype"}

#: The kind of value that an argument takes, by its name.
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("filters", "units", "groups", "depth_multiplier", "height", "width", "n", "key_dim"), "count"),
    **dict.fromkeys(("num_heads", "value_dim", "head_dim", "num_query_heads", "num_key_value_heads"), "count"),
    **dict.fromkeys(("power_iterations",), "count"),
    **dict.fromkeys(("kernel_size", "pool_size", "strides", "dilation_rate", "size", "tile_grid_size"), "sizes"),
    **dict.fromkeys(("axis", "axes", "cropping", "seed", "dims", "target_shape", "shared_axes", "bins"), "whole"),
    **dict.fromkeys(
        ("interpolation", "fill_mode", "score_mode", "merge_mode", "mode", "equation", "bias_axes"), "text"
    ),
    **dict.fromkeys(("rate", "dropout", "recurrent_dropout"), "fraction"),
    **dict.fromkeys(("layer", "backward_layer"), "layer"),
    **dict.fromkeys(("stddev", "max_value"), "numbers"),
    "dtype": "dtype",
    "data_format": "data_format",
}
_HEADER = re.compile(r"^(?: +def __init__|def \w+)\(.*?\)(?: -> [^\n:]+)?:$", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r"^from (\S+) import (?:\(\s*)?(\w+) as (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a layer and the kind of value that it takes."""

    name: str
    kind: str
    required: bool = False
    nullable: bool = False
    #: Whether it may stand in a list of arguments without names; those of every layer may not.
    positional: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """A layer, initializer, regularizer or constraint: its canonical name and its arguments in order."""

    section: Section
    name: str
    arguments: Mapping[str, Argument]


def find(section: Section, name: str, node: Node) -> Signature:
    """The signature of a name as written in a file; Keras's aliases are known, such as ``MaxPool2D``.

    Raises:
        UsageError: no such name, or a layer that no network may have; the message has the line of ``node``.
    """
    if section == "layers" and name in REFUSED:
        raise node.error(f"the layer {name} {REFUSED[name]}, so it cannot stand here")
    known = names(section)
    if name not in known:
        # HeNormal before he_normal, which Keras also has.
        classes = sorted(name for name in known if name[0].isupper())
        raise node.error(f"there is no {singular(section)} '{name}'{did_you_mean(name, classes)}")
    return _signature(section, name)


def singular(section: Section, *, article: bool = False) -> str:
    """``layer`` for ``layers``, or ``a layer``."""
    word = section.removesuffix("s")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}" if article else word


def activations() -> frozenset[str]:
    """The names of Keras's activations."""
    return frozenset(_exports("keras.activations").keys() - {"serialize", "deserialize", "get"})


@cache
def names(section: Section) -> frozenset[str]:
    """Every name of a section, aliases included."""
    found = {
        public for public, (_, own) in _exports(f"keras.{section}").items() if own[0].isupper() and own not in REFUSED
    }
    return frozenset(found - _NOT_CLASSES | (OWN.keys() if section == "layers" else set()))


@cache
def _signature(section: Section, name: str) -> Signature:
    if name in OWN:
        module, _, own = OWN[name].partition(":")
    else:
        exports = _exports(f"keras.{section}")
        module, own = exports[name]
        name = own if own in exports else name
    arguments = {
        argument.name: argument for argument in _arguments(_parameters(module, own)) if argument.name not in _LEFT_OUT
    }
    if section == "layers" and own[0].isupper():
        for common, kind in _COMMON.items():
            arguments.setdefault(common, Argument(common, kind, nullable=kind != "bool", positional=False))
    return Signature(section, name, MappingProxyType(arguments))


def _arguments(parameters: ast.arguments) -> Iterator[Argument]:
    """The arguments of a signature without the first, which is ``self`` or the tensor that a function takes."""
    plain = [*parameters.posonlyargs, *parameters.args]
    missing: list[ast.expr | None] = [None] * (len(plain) - len(parameters.defaults))
    defaults = [*missing, *parameters.defaults, *parameters.kw_defaults]
    for argument, default in list(zip([*plain, *parameters.kwonlyargs], defaults, strict=True))[1:]:
        value: Any = ...
        if isinstance(default, ast.Constant | ast.Tuple | ast.UnaryOp):
            value = ast.literal_eval(default)
        yield Argument(argument.arg, _kind(argument.arg, value), default is None, value is None)


def _kind(name: str, default: Any) -> str:
    """The kind of value of an argument, from its name, else from its default."""
    for ending in ("initializer", "regularizer", "constraint", "activation"):
        if name == ending or name.endswith(f"_{ending}"):
            return ending
    if name == "padding":
        return "padding" if isinstance(default, str) else "whole"
    if name in _KINDS:
        return _KINDS[name]
    if name.endswith("factor") or (name == "scale" and not isinstance(default, bool)):
        return "numbers"
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int):
        return "number"
    return "numbers" if isinstance(default, float | tuple) else "any"


@cache
def _exports(module: str) -> Mapping[str, tuple[str, str]]:
    """What a module of Keras imports, by its name there: the module that defines it, and its name in that one."""
    return {public: (defining, own) for defining, own, public in _IMPORT.findall(_source(module))}


def _parameters(module: str, name: str) -> ast.arguments:
    """The parameters of a function, or of a class's ``__init__``, which may be its base's."""
    text = _source(module)
    block = re.search(rf"^(?:class|def) {name}\b(?:\((\w+))?.*?(?=^[@\w]|\Z)", text, re.MULTILINE | re.DOTALL)
    if block is None:
        raise UnavailableError(f"The signature of {name} is not found in {module}; install Keras 3.15 or a newer one.")
    base = block[1]
    if header := _HEADER.search(block[0]):
        definition = textwrap.dedent(header[0])
    elif base:
        imported = re.search(rf"^from (\S+) import {base}$", text, re.MULTILINE)
        return _parameters(imported[1] if imported else module, base)
    else:
        definition = "def __init__(self):"
    function = ast.parse(f"{definition} ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.args


@cache
def _source(module: str) -> str:
    """The source of a module without its docstrings, which may hold examples of classes; nothing is imported."""
    package, *parts = module.split(".")
    found = find_spec(package)
    if found is None or found.origin is None:
        raise UnavailableError(f"{package} is not installed; 'pip install keras' installs it.")
    path = Path(found.origin).parent.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return re.sub(r'""".*?"""', "...", file.read_text(encoding="utf-8"), flags=re.DOTALL)
