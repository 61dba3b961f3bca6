"""YAML that knows its lines: a tree of plain values, each with the file and line where it stands.

The document is read as a stream of events and never handed to a constructor, so that no tag can make an object.
Everything that could grow out of proportion has a limit: the file, its nesting, and what its aliases expand to.
Scalars are read as YAML 1.2 does (``1e-4`` is a number, ``no`` and ``on`` are text).
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

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
    """``'; did you mean X?'`` with the nearest name, case and underscores aside; empty where none is near."""
    plain = {candidate.lower().replace("_", ""): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.6)
    return f"; did you mean {plain[near[0]]}?" if near else ""


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

    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        # What is left open is found where something else follows.
        begun = problem.context_mark.line + 1 if problem.context_mark else line
        where = f", in what line {begun} begins" if begun < line else ""
        raise error(file, line, f"this is not YAML: {problem.problem or problem.context}{where}") from problem
    except (yaml.YAMLError, UnicodeError) as problem:
        reason = " ".join(str(problem).split())
        raise UsageError(f"{file} is not YAML: {reason}.") from problem
    if builder.root is None:
        raise UsageError(f"{file} is empty.")
    if builder.root.mapping is None:
        raise builder.root.error("a mapping is expected here, such as 'name: mynet'")
    return builder.root


class _Frame:
    """A list or mapping whose end has not come yet."""

    def __init__(self, line: int, anchor: str | None, is_mapping: bool) -> None:
        self.line, self.anchor, self.is_mapping = line, anchor, is_mapping
        self.nodes: list[Node] = []
        self.keys: dict[str, int] = {}
        #: The key that waits for its value.
        self.key: str | None = None


class _Builder:
    """Events of one document in, a tree out; no recursion, whatever the nesting."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.frames: list[_Frame] = []
        self.anchors: dict[str, Node] = {}
        self.documents = 0

    def take(self, event: Any) -> None:
        """Handle one event."""
        line = event.start_mark.line + 1
        kind = type(event).__name__
        if getattr(event, "tag", None):
            raise error(self.file, line, f"tags such as {event.tag} are not allowed in a configuration")
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise error(self.file, line, "a second document begins here; a configuration is one")
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self.frames) >= MAX_DEPTH:
                raise error(self.file, line, f"nested more than {MAX_DEPTH} deep")
            self._refuse_key(line)
            self.frames.append(_Frame(line, event.anchor, kind == "MappingStartEvent"))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._close()
        elif kind == "ScalarEvent":
            self._scalar(event, line)
        elif kind == "AliasEvent":
            self._refuse_key(line)
            node = self.anchors.get(event.anchor)
            if node is None:
                inside = any(frame.anchor == event.anchor for frame in self.frames)
                what = "stands inside what it repeats" if inside else "has no anchor before it"
                raise error(self.file, line, f"the alias *{event.anchor} {what}")
            self._add(Node(node.value, line, self.file, node.key_lines, node.size))

    def _awaits_key(self) -> bool:
        return bool(self.frames) and self.frames[-1].is_mapping and self.frames[-1].key is None

    def _refuse_key(self, line: int) -> None:
        if self._awaits_key():
            raise error(self.file, line, "a key is plain text here, neither a list, a mapping nor an alias")

    def _scalar(self, event: Any, line: int) -> None:
        if self._awaits_key():
            frame, key = self.frames[-1], event.value
            if key in frame.keys:
                raise error(self.file, line, f"'{key}' is given twice, first in line {frame.keys[key]}")
            frame.keys[key] = line
            frame.key = key
            return
        value = self._plain(event.value, line) if event.implicit[0] else event.value
        self._add(Node(value, line, self.file), event.anchor)

    def _plain(self, text: str, line: int) -> Scalar:
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

    def _close(self) -> None:
        frame = self.frames.pop()
        size = 1 + sum(node.size for node in frame.nodes)
        if size > MAX_NODES:
            raise error(self.file, frame.line, f"more than {MAX_NODES:,} values stand here once aliases are expanded")
        if frame.is_mapping:
            entries = MappingProxyType(dict(zip(frame.keys, frame.nodes, strict=True)))
            node = Node(entries, frame.line, self.file, MappingProxyType(frame.keys), size)
        else:
            node = Node(tuple(frame.nodes), frame.line, self.file, size=size)
        self._add(node, frame.anchor)

    def _add(self, node: Node, anchor: str | None = None) -> None:
        """Put a finished node where it belongs."""
        if anchor:
            self.anchors[anchor] = node
        if not self.frames:
            self.root = node
            return
        self.frames[-1].nodes.append(node)
        self.frames[-1].key = None
