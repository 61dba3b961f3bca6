"""What Keras has, as a table that is read without Keras: layers, initializers, regularizers, constraints, activations.

``configs/layers.json`` is made from the installed Keras by ``configs/refresh_layers.py``. An argument stands there as
its kind, such as ``count`` or ``activation``, with ``!`` where it must be given and ``?`` where it may be null. Where a
newer Keras is installed, a name that the table has not may exist; only the build then tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Literal, TypeAlias

from zoo.catalog.declarative.yaml_lines import Node, did_you_mean
from zoo.core import paths

Section: TypeAlias = Literal["layers", "initializers", "regularizers", "constraints"]

#: Layers of this project, which stand in a network beside those of Keras. A function takes the tensor first.
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
#: Layers of Keras that stand in no network here, and why.
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
#: Layers that take a query, a value and perhaps a key: as a list, and as arguments. One tensor is all of them.
ATTENTION_LISTS = frozenset({"AdditiveAttention", "Attention"})
ATTENTION_ARGUMENTS = frozenset({"GroupQueryAttention", "MultiHeadAttention"})


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a layer: what kind of value it takes."""

    name: str
    kind: str
    required: bool = False
    nullable: bool = False
    #: Whether it may stand in a list of arguments without names; those of every layer may not.
    positional: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """A layer, initializer, regularizer or constraint: its canonical name and its arguments in their order.

    ``complete`` is whether these are all the arguments that there can be.
    """

    section: Section
    name: str
    arguments: Mapping[str, Argument]
    complete: bool


def find(section: Section, name: str, node: Node) -> Signature:
    """The entry of a name as a person writes it.

    Args:
        section: where to look.
        name: the name; Keras's aliases are known, such as ``MaxPool2D``.
        node: where it stands, for the message.

    Raises:
        UsageError: there is none of that name, or it may not stand in a network.
    """
    if section == "layers" and name in REFUSED:
        raise node.error(f"the layer {name} {REFUSED[name]}, so it cannot stand here")
    table = _table()
    canonical = table.aliases[section].get(name, name)
    arguments = table.sections[section].get(canonical)
    newer = keras_is_newer()
    if arguments is None and newer and re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        return Signature(section, name, {}, complete=False)
    if arguments is None:
        known = [*table.sections[section], *(alias for alias in table.aliases[section] if alias[0].isupper())]
        raise node.error(f"there is no {singular(section)} '{name}'{did_you_mean(name, known)}")
    return Signature(section, canonical, arguments, complete=name in OWN or not newer)


def singular(section: Section, *, article: bool = False) -> str:
    """``layer`` for ``layers``, or ``a layer``."""
    word = section.removesuffix("s")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}" if article else word


def activations() -> frozenset[str]:
    """The names of Keras's activations."""
    return _table().activations


def known_names(section: Section) -> frozenset[str]:
    """Names that a text may have where an initializer, regularizer or constraint is expected."""
    return frozenset({*_table().sections[section], *_table().aliases[section]})


@cache
def keras_is_newer() -> bool:
    """Whether the installed Keras is newer than the one of which the table was made."""
    try:
        installed = version("keras")
    except PackageNotFoundError:
        return False
    return _numbers(installed) > _numbers(_table().keras)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


@dataclass(frozen=True, slots=True)
class _Table:
    keras: str
    activations: frozenset[str]
    sections: Mapping[str, Mapping[str, Mapping[str, Argument]]]
    aliases: Mapping[str, Mapping[str, str]]


@cache
def _table() -> _Table:
    """The table, read once."""
    document = json.loads(paths.shipped("configs", "layers.json").read_text(encoding="utf-8"))
    common = {name: replace(argument, positional=False) for name, argument in _arguments(document["common"]).items()}

    def read(section: str, entry: Mapping[str, str]) -> dict[str, Argument]:
        own = _arguments(entry)
        # Layers of this project that are functions take no arguments of Layer.
        if section != "layers" or "**" in entry:
            return own
        return own | {name: argument for name, argument in common.items() if name not in own}

    sections = {
        section: {name: read(section, entry) for name, entry in document[section].items()}
        for section in ("layers", "initializers", "regularizers", "constraints")
    }
    return _Table(document["keras"], frozenset(document["activations"]), sections, document["aliases"])


def _arguments(entry: Mapping[str, str]) -> dict[str, Argument]:
    return {
        name: Argument(name, kind.rstrip("!?"), kind.endswith("!"), kind.endswith("?"))
        for name, kind in entry.items()
        if name != "**"
    }
