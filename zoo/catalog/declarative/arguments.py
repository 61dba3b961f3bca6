"""The arguments of a layer, initializer, regularizer or constraint: read, substituted and checked without Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.catalog.declarative import layer_table
from zoo.catalog.declarative.layer_table import Argument, Section, Signature
from zoo.catalog.declarative.variables import Value, substitute
from zoo.catalog.declarative.yaml_lines import Node, did_you_mean
from zoo.core.errors import UsageError

#: The largest number of units, filters or heads.
MAX_COUNT = 1_000_000

DTYPES = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
PADDINGS = ("valid", "same", "causal")

_SECTIONS: Mapping[str, Section] = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
}


@dataclass(frozen=True, slots=True)
class Made:
    """Something of Keras that the build makes: a layer within a layer, an initializer, a regularizer, a constraint."""

    section: Section
    name: str
    arguments: Mapping[str, Any]
    line: int


def read(signature: Signature, node: Node | None, values: Mapping[str, Value], where: Node) -> dict[str, Any]:
    """The arguments as Python values, by name.

    Args:
        signature: what takes them.
        node: what stands behind its name: a mapping of named arguments, a list of positional ones, or a single one.
        values: the variables.
        where: where the name stands, for messages.

    Raises:
        UsageError: an unknown or missing argument, or a value of the wrong kind.
    """
    given = _named(signature, node)
    read: dict[str, Any] = {}
    for name, (value, error) in given.items():
        argument = signature.arguments.get(name, Argument(name, "any", nullable=True))
        read[name] = _Reader(signature, argument, values, error).value(value)
    missing = [name for name, argument in signature.arguments.items() if argument.required and name not in read]
    if missing:
        raise where.error(f"{signature.name} needs {' and '.join(missing)}")
    return read


Error = Callable[[str], UsageError]


def _named(signature: Signature, node: Node | None) -> dict[str, tuple[Node, Error]]:
    """Every argument that is given, by name, with the way to complain about it."""
    if node is None or (node.value is None and not _takes_null(signature)):
        return {}
    known = signature.arguments
    if node.mapping is not None and not _is_object(signature, node):
        named: dict[str, tuple[Node, Error]] = {}
        for name, value in node.mapping.items():
            if name not in known and signature.complete:
                takes = f"; it takes {', '.join(known)}" if known and len(known) <= 8 else ""
                hint = did_you_mean(name, known) or takes
                raise node.error(f"{signature.name} has no argument '{name}'{hint}", key=name)
            named[name] = (value, _at_key(node, name))
        return named
    values = (node,) if node.items is None else node.items
    positional = [name for name, argument in known.items() if argument.positional]
    if not positional and not signature.complete:
        raise node.error(f"write the arguments of {signature.name} with their names, as only a newer Keras knows them")
    if len(values) > len(positional):
        only = f"at most {len(positional)} ({', '.join(positional)})" if positional else "none without a name"
        hint = "; a list that is one argument stands in a list of its own: [[…]]" if positional and node.items else ""
        raise node.error(f"{signature.name} is given {len(values)} arguments and takes {only}{hint}")
    return {name: (value, value.error) for name, value in zip(positional, values, strict=False)}


def _takes_null(signature: Signature) -> bool:
    """Whether null alone can be the first argument."""
    return next((argument.nullable for argument in signature.arguments.values()), False)


def _is_object(signature: Signature, node: Node) -> bool:
    """Whether a mapping is the first argument itself, as in ``TimeDistributed: {Dense: 10}``."""
    first = next(iter(signature.arguments.values()), None)
    keys = node.mapping or {}
    return (
        first is not None and first.kind == "layer" and len(keys) == 1 and not keys.keys() & signature.arguments.keys()
    )


def _at_key(node: Node, name: str) -> Error:
    return lambda text: node.error(text, key=name)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the value of one argument; ``check_KIND`` is a method for each kind that needs one."""

    signature: Signature
    argument: Argument
    values: Mapping[str, Value]
    error: Error

    def value(self, node: Node) -> Any:
        """The value, checked."""
        kind = self.argument.kind
        if kind == "layer" and node.value is not None:
            return self.made("layers", node)
        if node.mapping is not None:
            if kind not in _SECTIONS:
                raise self.wrong("no mapping", node.plain)
            return self.made(_SECTIONS[kind], node)
        value = self.plain(node)
        if value is None:
            if self.argument.nullable or kind in _SECTIONS or kind == "activation":
                return None
            raise self.wrong("no null")
        if kind in _SECTIONS:
            return self.identifier(value, layer_table.known_names(_SECTIONS[kind]))
        check: Callable[[Any], Any] | None = getattr(self, f"check_{kind}", None)
        return check(value) if check else value

    def plain(self, node: Node) -> Any:
        """Scalars and tuples of them, with variables replaced."""
        if node.items is not None:
            if any(item.mapping is not None for item in node.items):
                raise self.wrong("no mapping in a list")
            return tuple(self.plain(item) for item in node.items)
        return substitute(node, self.values)

    def made(self, section: Section, node: Node) -> Made:
        """``{NAME: ARGUMENTS}`` or a bare name."""
        text: object = None
        inner: Node | None = None
        if isinstance(node.value, str):
            text = substitute(node, self.values)
        elif node.mapping is not None and len(node.mapping) == 1:
            ((text, inner),) = node.mapping.items()
        if not isinstance(text, str):
            raise self.wrong(
                f"the name of {layer_table.singular(section, article=True)}, with its arguments or without"
            )
        signature = layer_table.find(section, text, node)
        return Made(section, signature.name, read(signature, inner, self.values, node), node.line)

    def wrong(self, expected: str, value: Any = None) -> UsageError:
        """What is expected, and what came."""
        received = "" if value is None else f", not {_show(value)}"
        return self.error(f"{self.argument.name} of {self.signature.name} takes {expected}{received}")

    def identifier(self, value: Any, names: frozenset[str]) -> Any:
        """A name out of a set."""
        if not isinstance(value, str):
            raise self.wrong("a name", value)
        if value not in names and not (layer_table.keras_is_newer() and value.isidentifier()):
            what = self.argument.kind
            raise self.error(f"there is no {what} '{value}'{did_you_mean(value, sorted(names))}")
        return value

    def check_activation(self, value: Any) -> Any:
        """The name of an activation."""
        return self.identifier(value, layer_table.activations())

    def choice(self, value: Any, choices: tuple[str, ...]) -> Any:
        """One text of a few."""
        if value not in choices:
            hint = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise self.wrong(f"{', '.join(choices[:-1])} or {choices[-1]}", f"{value}{hint}" if hint else value)
        return value

    def check_padding(self, value: Any) -> Any:
        """``valid`` or ``same``; ``causal`` for one dimension."""
        return self.choice(value, PADDINGS if self.signature.name.startswith("Conv1D") else PADDINGS[:2])

    def check_dtype(self, value: Any) -> Any:
        """A type in which a layer computes."""
        return self.choice(value, DTYPES)

    def check_data_format(self, value: Any) -> Any:
        """The one layout that zoo's networks have."""
        if value != "channels_last":
            raise self.wrong("channels_last only", value)
        return value

    def check_bool(self, value: Any) -> Any:
        """True or false."""
        if not isinstance(value, bool):
            raise self.wrong("true or false", value)
        return value

    def check_text(self, value: Any) -> Any:
        """A text."""
        if not isinstance(value, str):
            raise self.wrong("a text", value)
        return value

    def check_count(self, value: Any) -> Any:
        """A whole number from 1."""
        if not _is_whole(value) or not 1 <= value <= MAX_COUNT:
            raise self.wrong(f"a whole number from 1 to {MAX_COUNT:,}", value)
        return value

    def check_sizes(self, value: Any) -> Any:
        """A whole number from 1, or a list of one for each dimension."""
        parts = value if isinstance(value, tuple) else (value,)
        if not parts or not all(_is_whole(part) and 1 <= part <= MAX_COUNT for part in parts):
            raise self.wrong("a whole number from 1, or a list of them", value)
        return value

    def check_whole(self, value: Any) -> Any:
        """A whole number, or lists of them."""
        if isinstance(value, tuple):
            return tuple(self.check_whole(part) for part in value)
        if not _is_whole(value):
            raise self.wrong("whole numbers", value)
        return value

    def check_number(self, value: Any) -> Any:
        """A number."""
        if not _is_number(value):
            raise self.wrong("a number", value)
        return value

    def check_numbers(self, value: Any) -> Any:
        """A number, or a list of them."""
        if isinstance(value, tuple):
            return tuple(self.check_numbers(part) for part in value)
        return self.check_number(value)

    def check_fraction(self, value: Any) -> Any:
        """A number from 0 to 1, such as the share that dropout drops."""
        if not _is_number(value) or not 0 <= value <= 1:
            raise self.wrong("a number from 0 to 1", value)
        return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _show(value: Any) -> str:
    """A value as it stands in YAML, on one line and not too long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(_show(part) for part in value)}]"
    elif isinstance(value, dict):
        text = "a mapping"
    else:
        text = str(value) if value is not None else "null"
    return text if len(text) <= 60 else text[:59] + "…"
