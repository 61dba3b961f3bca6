"""YAML that knows its lines: a tree of plain values, each with the file and line where it stands.

The document is composed and never constructed, so that no tag can make an object. The size of the file, its nesting
and what its aliases expand to are limited. Scalars are read as YAML 1.2 does (``1e-4`` is a number, ``no`` is text).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from zoo.core import suggestions
from zoo.core.errors import UsageError

Scalar: TypeAlias = bool | int | float | str | None

#: Limits; a network of a hundred blocks written out takes a tenth of each.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_MESSAGE = 400

_INTEGER = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a document: a scalar, a tuple of nodes, or a mapping from text to nodes."""

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    line: int
    #: The file, as messages name it.
    file: str
    #: For a mapping, the line of each key.
    key_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    #: Nodes in it once aliases are expanded, itself included.
    size: int = 1

    @property
    def mapping(self) -> Mapping[str, Node] | None:
        """The entries of a mapping; ``None`` for anything else."""
        return self.value if isinstance(self.value, Mapping) else None

    @property
    def items(self) -> tuple[Node, ...] | None:
        """The items of a list; ``None`` for anything else."""
        return self.value if isinstance(self.value, tuple) else None

    @property
    def plain(self) -> Any:
        """The value without lines: scalars, lists and dictionaries."""
        if isinstance(self.value, Mapping):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain for node in self.value]
        return self.value

    def error(self, text: str, *, key: str | None = None) -> UsageError:
        """An error at this node, or at one of its keys, as ``FILE, line N: TEXT``."""
        return error(self.file, self.key_lines.get(key, self.line) if key else self.line, text)


def error(file: str, line: int, text: str) -> UsageError:
    """The sentence of a mistake in a file. What it cites of the file is kept to one line, and short."""
    text = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    text = text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
    return UsageError(f"{file}, line {line}: {text}{'' if text.endswith('?') else '.'}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``. Did you mean 'X'?`` with the nearest name, case and underscores aside; empty if none is near."""
    spellings = {candidate.replace("_", ""): candidate for candidate in known}
    hint = suggestions.did_you_mean(name.replace("_", ""), spellings, shown=spellings)
    return f".{hint}" if hint else ""


def shown(path: str | os.PathLike[str]) -> str:
    """How messages name a file: relative where it lies below the working folder, else whole."""
    absolute = os.path.abspath(path)
    try:
        inside = os.path.relpath(absolute)
    except (ValueError, OSError):
        return absolute
    return absolute if inside.split(os.sep)[0] == os.pardir else inside


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file.

    Raises:
        UsageError: it is missing, no regular file, too large, or not UTF-8.
    """
    file, name = Path(path), shown(path)
    try:
        if not file.is_file():
            raise UsageError(f"There is no file {name}." if not file.exists() else f"{name} is not a file.")
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        # A file name with a NUL byte is a ValueError, and so is a UsageError.
        if isinstance(problem, UsageError):
            raise
        raise UsageError(f"{name} cannot be read: {getattr(problem, 'strerror', None) or problem}.") from problem
    if len(data) > MAX_BYTES:
        raise UsageError(f"{name} is larger than the {MAX_BYTES // 1024} KiB that a configuration may have.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise error(name, line, "this is not UTF-8 text") from problem


def parse(text: str, file: str) -> Node:
    """The tree of a document whose top is a mapping.

    Args:
        text: the YAML.
        file: what messages call it.

    Raises:
        UsageError: it is not YAML, uses what is not allowed (tags, keys given twice, keys that are no text, several
            documents), or exceeds a limit.
    """
    import yaml

    try:
        document = yaml.compose(text, _loader())
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        # What is left open is found where something else follows.
        begun = problem.context_mark.line + 1 if problem.context_mark else line
        where = f", in what line {begun} begins" if begun < line else ""
        raise error(file, line, f"this is not YAML: {problem.problem or problem.context}{where}") from problem
    except RecursionError as problem:
        raise error(file, 1, f"something is nested more than {MAX_DEPTH} deep") from problem
    except (yaml.YAMLError, UnicodeError) as problem:
        reason = " ".join(str(problem).split())
        raise UsageError(f"{file} is not YAML: {reason}.") from problem
    if document is None:
        raise UsageError(f"{file} is empty.")
    root = _Reader(file).node(document)
    if root.mapping is None:
        raise root.error("a mapping is expected here, such as 'name: mynet'")
    return root


_PLAIN, _OTHER = "plain", "other"


@cache
def _loader() -> Any:
    """PyYAML's base loader, the compiled one where there is one, which also tells plain scalars from others.

    A node has one of these two tags, or one that the document states, which is then refused.
    """
    import yaml

    class Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            return _PLAIN if kind is yaml.ScalarNode and implicit[0] else _OTHER

    return Loader


class _Reader:
    """Nodes of PyYAML in, nodes with plain values out."""

    def __init__(self, file: str) -> None:
        self.file = file
        #: Nodes by identity, which aliases share; ``None`` while a node is being read.
        self.read: dict[int, Node | None] = {}

    def node(self, source: Any, depth: int = 0, line: int = 0) -> Node:
        """A node that stands in ``line`` or below; an alias stands where it is written."""
        line = max(line, source.start_mark.line + 1)
        if source.tag not in (_PLAIN, _OTHER):
            raise error(self.file, line, f"tags such as {source.tag} are not allowed in a configuration")
        if id(source) not in self.read:
            if depth > MAX_DEPTH:
                raise error(self.file, line, f"nested more than {MAX_DEPTH} deep")
            self.read[id(source)] = None
            self.read[id(source)] = self.new(source, depth, line)
        found = self.read[id(source)]
        if found is None:
            raise error(self.file, line, "an alias stands inside what it repeats")
        return replace(found, line=line) if found.line != line else found

    def new(self, source: Any, depth: int, line: int) -> Node:
        """A node that is no alias."""
        if source.id == "scalar":
            return Node(self.plain(source.value, line) if source.tag == _PLAIN else source.value, line, self.file)
        nodes: list[Node] = []
        keys: dict[str, int] = {}
        for entry in source.value:
            if source.id == "sequence":
                nodes.append(self.node(entry, depth + 1, nodes[-1].line if nodes else line))
                continue
            key, value = entry
            key_line = max([line, key.start_mark.line + 1, *keys.values()])
            if key.id != "scalar" or id(key) in self.read:
                raise error(self.file, key_line, "a key is plain text here, neither a list, a mapping nor an alias")
            if key.tag not in (_PLAIN, _OTHER):
                raise error(self.file, key_line, f"tags such as {key.tag} are not allowed in a configuration")
            if key.value in keys:
                raise error(self.file, key_line, f"'{key.value}' is given twice, first in line {keys[key.value]}")
            keys[key.value] = key_line
            nodes.append(self.node(value, depth + 1, key_line))
        size = 1 + sum(node.size for node in nodes)
        if size > MAX_NODES:
            raise error(self.file, line, f"more than {MAX_NODES:,} values stand here once aliases are expanded")
        if source.id == "sequence":
            return Node(tuple(nodes), line, self.file, size=size)
        entries = MappingProxyType(dict(zip(keys, nodes, strict=True)))
        return Node(entries, line, self.file, MappingProxyType(keys), size)

    def plain(self, text: str, line: int) -> Scalar:
        """What a scalar without quotes means."""
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            if len(text) > 18:
                raise error(self.file, line, f"the number {text[:18]}… is too large")
            return int(text, 0) if text.startswith(("0x", "0o")) else int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                raise error(self.file, line, f"the number {text[:18]} is too large")
            return number
        return text
