"""The arguments of a layer, initializer, regularizer or constraint in a YAML file, checked without Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.catalog.declarative import signatures
from zoo.catalog.declarative.signatures import Argument, Section, Signature
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


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_whole(value) and 1 <= value <= MAX_COUNT


def _leaves(value: Any) -> Iterator[Any]:
    """The scalars of nested tuples."""
    if isinstance(value, tuple):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


#: For each kind of argument what a value must be, in words and as a test.
CHECKS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "data_format": ("channels_last only", lambda value: bool(value == "channels_last")),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "text": ("a text", lambda value: isinstance(value, str)),
    "count": (f"a whole number from 1 to {MAX_COUNT:,}", _is_count),
    "sizes": (
        "a whole number from 1, or a list of them",
        lambda value: value != () and all(map(_is_count, value if isinstance(value, tuple) else (value,))),
    ),
    "whole": ("whole numbers", lambda value: all(map(_is_whole, _leaves(value)))),
    "number": ("a number", _is_number),
    "numbers": ("a number, or a list of them", lambda value: all(map(_is_number, _leaves(value)))),
    "fraction": ("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1),
}


@dataclass(frozen=True, slots=True)
class Made:
    """An object that the build creates: an inner layer, an initializer, a regularizer or a constraint."""

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
    given = {
        name: _Reader(signature, signature.arguments[name], values, error).value(value)
        for name, (value, error) in _named(signature, node).items()
    }
    missing = [name for name, argument in signature.arguments.items() if argument.required and name not in given]
    if missing:
        raise where.error(f"{signature.name} needs {' and '.join(missing)}")
    return given


Error = Callable[[str], UsageError]


def _named(signature: Signature, node: Node | None) -> dict[str, tuple[Node, Error]]:
    """Every argument that is given, by name, with the function that makes an error at its line."""
    known = signature.arguments
    first = next(iter(known.values()), None)
    if node is None or (node.value is None and not (first and first.nullable)):
        return {}
    entries = node.mapping
    # A layer within a layer, as in 'TimeDistributed: {Dense: 10}', is the first argument itself.
    inner = first is not None and first.kind == "layer" and len(entries or ()) == 1
    if entries is not None and not (inner and not known.keys() & entries):
        for name in entries:
            if name not in known:
                takes = f"; it takes {', '.join(known)}" if known and len(known) <= 8 else ""
                raise node.error(
                    f"{signature.name} has no argument '{name}'{did_you_mean(name, known) or takes}", key=name
                )
        return {name: (value, _at_key(node, name)) for name, value in entries.items()}
    values = (node,) if node.items is None else node.items
    positional = [name for name, argument in known.items() if argument.positional]
    if len(values) > len(positional):
        only = f"at most {len(positional)} ({', '.join(positional)})" if positional else "none without a name"
        hint = "; a list that is one argument stands in a list of its own: [[…]]" if positional and node.items else ""
        raise node.error(f"{signature.name} is given {len(values)} arguments and takes {only}{hint}")
    return {name: (value, value.error) for name, value in zip(positional, values, strict=False)}


def _at_key(node: Node, name: str) -> Error:
    return lambda text: node.error(text, key=name)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the value of one argument."""

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
            return self.identifier(value, signatures.names(_SECTIONS[kind]))
        if kind == "activation":
            return self.identifier(value, signatures.activations())
        if kind == "dtype":
            return self.choice(value, DTYPES)
        if kind == "padding":
            return self.choice(value, PADDINGS if self.signature.name.startswith("Conv1D") else PADDINGS[:2])
        expected, is_right = CHECKS.get(kind, ("", lambda _: True))
        if not is_right(value):
            raise self.wrong(expected, value)
        return value

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
            raise self.wrong(f"the name of {signatures.singular(section, article=True)}, with or without arguments")
        signature = signatures.find(section, text, node)
        return Made(section, signature.name, read(signature, inner, self.values, node), node.line)

    def identifier(self, value: Any, known: frozenset[str]) -> Any:
        """A name that Keras knows."""
        if not isinstance(value, str):
            raise self.wrong("a name", value)
        if value not in known:
            raise self.error(f"there is no {self.argument.kind} '{value}'{did_you_mean(value, sorted(known))}")
        return value

    def choice(self, value: Any, choices: tuple[str, ...]) -> Any:
        """One text of a few."""
        if value not in choices:
            hint = did_you_mean(value, choices) if isinstance(value, str) else ""
            raise self.wrong(f"{', '.join(choices[:-1])} or {choices[-1]}", f"{value}{hint}" if hint else value)
        return value

    def wrong(self, expected: str, value: Any = None) -> UsageError:
        """What was expected and what was received."""
        received = "" if value is None else f", not {_show(value)}"
        return self.error(f"{self.argument.name} of {self.signature.name} takes {expected}{received}")


def _show(value: Any) -> str:
    """A value as it stands in YAML, on one line and at most 60 characters."""
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
