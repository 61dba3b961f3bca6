"""Unroll the layers of a document into calls: residual, parallel, repeat, stage and head, and named inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.catalog.declarative import arguments, signatures
from zoo.catalog.declarative.variables import Value, substitute
from zoo.catalog.declarative.yaml_lines import Node, did_you_mean

#: What the first layer takes, as a number and as a name in ``inputs``.
INPUT = -1
INPUT_NAME = "input"
#: Limits: layers, and steps of unrolling them.
MAX_LAYERS = 5_000
MAX_STEPS = 50_000

MERGE_LAYERS = {
    "add": "Add",
    "average": "Average",
    "concatenate": "Concatenate",
    "maximum": "Maximum",
    "multiply": "Multiply",
}
#: The keys that each construct has; the first is the one that a bare list stands for.
CONSTRUCTS = {
    "residual": ("layers", "shortcut", "merge", "name"),
    "parallel": ("branches", "merge", "name"),
    "repeat": ("layers", "times", "index"),
    "stage": ("layers", "name"),
    "head": ("layers",),
}
#: Names of layers that stand before the network.
RESERVED = frozenset({INPUT_NAME, "image", "preprocessing"})
# Names that Keras gives to the operations of which the preprocessing is made.
_OPERATIONS = re.compile(r"(add|flip|get_item|multiply)(_\d+)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """One layer and what it is applied to: the numbers of earlier calls, or :data:`INPUT`."""

    kind: str
    arguments: Mapping[str, Any]
    inputs: tuple[int, ...]
    line: int
    name: str = ""
    #: What its name begins with where it is given none: the stages around it, and what it is.
    base: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list of layers stands."""

    top: bool = False
    stages: tuple[str, ...] = ()
    #: Variables of the repeats around it.
    indices: Mapping[str, Value] = field(default_factory=dict)


class Unroller:
    """Walks through the document and collects the calls."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """``values`` are the variables."""
        self.values = values
        self.calls: list[Call] = []
        self.stages: list[tuple[str, int]] = []
        self.features: int | None = None
        self.names: dict[str, int] = {}
        self.steps = 0
        # The first reference to a name that no earlier layer has: the node, the name, and the layer that takes it.
        self.unknown: tuple[Node, str, int] | None = None

    def sequence(self, items: tuple[Node, ...], source: int, place: Place) -> int:
        """Layers one after the other; returns the number of the last call."""
        for item in items:
            if self.features is not None and place.top:
                raise item.error("nothing stands after the head")
            source = self.item(item, source, place)
        return source

    def item(self, node: Node, source: int, place: Place) -> int:
        """A layer by its name, or a mapping with a layer or construct and perhaps ``name`` and ``inputs``."""
        self.step(node)
        if isinstance(node.value, str):
            return self.layer(node, node.value, None, {}, source, place)
        if node.mapping is None:
            raise node.error("a layer is its name, or 'NAME: ARGUMENTS'")
        beside = {key: value for key, value in node.mapping.items() if key in ("name", "inputs")}
        rest = [key for key in node.mapping if key not in beside]
        if len(rest) != 1:
            raise node.error(
                f"one layer stands in an item of a list, not {' and '.join(rest)}; begin each with '- '"
                if rest
                else "a layer is its name, or 'NAME: ARGUMENTS'"
            )
        kind, body = rest[0], node.mapping[rest[0]]
        if kind in CONSTRUCTS:
            return self.construct(node, kind, body, beside, source, place)
        return self.layer(node, kind, body, beside, source, place)

    # Layers

    def layer(
        self, node: Node, kind: str, body: Node | None, beside: Mapping[str, Node], source: int, place: Place
    ) -> int:
        """One layer of Keras or of this project."""
        if not kind.isascii() or "$" in kind:
            raise node.error(f"'{kind}' is not the name of a layer")
        if kind.lower() in CONSTRUCTS:
            raise node.error(f"{kind.lower()} is written in lower case and has layers in it")
        signature = signatures.find("layers", kind, node)
        if body is not None and body.mapping is not None:
            own = {key: value for key, value in body.mapping.items() if key in ("name", "inputs")}
            if twice := own.keys() & beside.keys():
                raise node.error(f"{min(twice)} is given twice, in {kind} and beside it")
            beside = {**beside, **own}
            entries = {key: value for key, value in body.mapping.items() if key not in own}
            body = replace(body, value=entries) if entries else None
        values = {**self.values, **place.indices}
        read = arguments.read(signature, body, values, node)
        inputs = self.inputs(beside.get("inputs"), source, values)
        self.check_inputs(node, signature.name, inputs)
        # 'add' alone would be one of Keras's names for operations.
        base = "merge" if signature.name in signatures.MERGES else _snake(signature.name)
        return self.emit(node, signature.name, read, inputs, self.given_name(beside.get("name"), values), place, base)

    def inputs(self, node: Node | None, source: int, values: Mapping[str, Value]) -> tuple[int, ...]:
        """The numbers of the calls that ``inputs`` names; the previous one by default."""
        if node is None:
            return (source,)
        return tuple(self.reference(item, values) for item in (node.items if node.items is not None else (node,)))

    def reference(self, node: Node, values: Mapping[str, Value]) -> int:
        """The number of the call that a name in ``inputs`` means."""
        name = substitute(node, values) if node.items is None and node.mapping is None else None
        if not isinstance(name, str):
            raise node.error("inputs are names of earlier layers")
        if name == INPUT_NAME:
            return INPUT
        if name not in self.names:
            # Whether it comes later is known at the end.
            self.unknown = self.unknown or (node, name, len(self.calls))
            return INPUT
        return self.names[name]

    def check_references(self) -> None:
        """An input that no earlier layer has is a cycle if a later layer has it."""
        if self.unknown is None:
            return
        node, name, number = self.unknown
        if self.names.get(name) == number:
            raise node.error(f"the layer '{name}' takes itself, which is a cycle")
        if name in self.names:
            line = self.calls[self.names[name]].line
            raise node.error(f"'{name}' comes later, in line {line}, so this is a cycle; inputs are earlier layers")
        raise node.error(f"no layer has the name '{name}'{did_you_mean(name, self.names)}")

    def check_inputs(self, node: Node, kind: str, inputs: tuple[int, ...]) -> None:
        """A layer gets as many tensors as it takes."""
        if kind in signatures.MERGES:
            least, most = 2, 2 if kind in ("Dot", "Subtract") else MAX_LAYERS
        elif kind in signatures.ATTENTION_LISTS | signatures.ATTENTION_ARGUMENTS:
            least, most = 1, 3
        else:
            least = most = 1
        if not least <= len(inputs) <= most:
            takes = "one input" if most == 1 else f"{least} inputs" if least == most else f"{least} or more inputs"
            example = "; 'inputs: [a, b]' names them, or a residual or parallel joins them" if least == 2 else ""
            raise node.error(f"{kind} takes {takes} and is given {len(inputs)}{example}")

    def given_name(self, node: Node | None, values: Mapping[str, Value]) -> str:
        """The name of a layer in the file; empty if it has none."""
        if node is None:
            return ""
        name = substitute(node, values) if node.items is None and node.mapping is None else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise node.error("a name is made of letters, digits, '_', '.' and '-'; digits alone stand in quotes")
        if name in RESERVED:
            raise node.error(f"the name '{name}' is taken by what stands before the network")
        if _OPERATIONS.fullmatch(name):
            raise node.error(f"the name '{name}' is one that Keras gives to operations; choose another")
        return name

    def emit(
        self,
        node: Node,
        kind: str,
        read: Mapping[str, Any],
        inputs: tuple[int, ...],
        name: str,
        place: Place,
        base: str,
    ) -> int:
        """Append a call; ``base`` begins its name if it has none."""
        number = len(self.calls)
        if number >= MAX_LAYERS:
            raise node.error(f"the network has more than {MAX_LAYERS:,} layers")
        if name in self.names:
            line = self.calls[self.names[name]].line
            advice = f"; in a repeat, write {name}${{i}}" if line == node.line else f", first in line {line}"
            raise node.error(f"two layers have the name '{name}'{advice}")
        if name:
            self.names[name] = number
        self.calls.append(Call(kind, read, inputs, node.line, name, "_".join((*place.stages, base))))
        return number

    def step(self, node: Node) -> None:
        """Limit the steps, because repeats multiply."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise node.error(f"the repeats unroll to more than {MAX_STEPS:,} steps")

    # Constructs

    def construct(
        self, node: Node, kind: str, body: Node, beside: Mapping[str, Node], source: int, place: Place
    ) -> int:
        """``residual``, ``parallel``, ``repeat``, ``stage`` or ``head``."""
        keys = CONSTRUCTS[kind]
        parts = body.mapping if body.mapping is not None else {keys[0]: body}
        for key in parts:
            if key not in keys:
                raise body.error(f"{kind} has no '{key}'{did_you_mean(key, keys)}", key=key)
        if "name" in beside:
            if "name" not in keys or "name" in parts:
                raise node.error(f"{kind} takes no name here", key="name")
            parts = {**parts, "name": beside["name"]}
        if "inputs" in beside:
            found = self.inputs(beside["inputs"], source, {**self.values, **place.indices})
            if len(found) != 1:
                raise node.error(f"{kind} takes one input", key="inputs")
            source = found[0]
        if keys[0] not in parts:
            raise body.error(f"{kind} needs {keys[0]}")
        method = getattr(self, kind)
        last: int = method(node, parts, source, place)
        return last

    def residual(self, node: Node, parts: Mapping[str, Node], source: int, place: Place) -> int:
        """The input beside the output of layers, and the two joined."""
        place = replace(place, top=False)
        made = self.sequence(_layers(parts["layers"]), source, place)
        if made == source:
            raise node.error("a residual without a layer adds its input to itself")
        shortcut = self.sequence(_layers(parts["shortcut"]), source, place) if "shortcut" in parts else source
        return self.merge(node, parts, "residual", (made, shortcut), place)

    def parallel(self, node: Node, parts: Mapping[str, Node], source: int, place: Place) -> int:
        """Several lists of layers on one input, and their outputs joined. An empty list is the input itself."""
        branches = parts["branches"].items or ()
        if len(branches) < 2:
            raise parts["branches"].error("parallel has two branches or more, each a list of layers")
        place = replace(place, top=False)
        ends = tuple(self.sequence(_layers(branch, empty=True), source, place) for branch in branches)
        return self.merge(node, parts, "parallel", ends, place)

    def merge(
        self, node: Node, parts: Mapping[str, Node], construct: str, inputs: tuple[int, ...], place: Place
    ) -> int:
        """The layer at the end of a construct, which is named after it."""
        values = {**self.values, **place.indices}
        how = "add" if construct == "residual" else "concatenate"
        if "merge" in parts:
            given = _scalar(parts["merge"], values)
            if given not in MERGE_LAYERS:
                raise parts["merge"].error(
                    f"merge is {', '.join(MERGE_LAYERS)}{did_you_mean(str(given), MERGE_LAYERS)}"
                )
            how = str(given)
        name = self.given_name(parts.get("name"), values)
        return self.emit(node, MERGE_LAYERS[how], {}, inputs, name, place, construct)

    def repeat(self, node: Node, parts: Mapping[str, Node], source: int, place: Place) -> int:
        """Layers a number of times, with the number of the repetition, from 0, as a variable."""
        index = parts["index"].value if "index" in parts else "i"
        if not isinstance(index, str) or not index.isidentifier() or index in self.values:
            where = parts.get("index", node)
            raise where.error(f"the index of a repeat is the name of a new variable, such as j, not '{index}'")
        if "times" not in parts:
            raise node.error("repeat needs times")
        times = _scalar(parts["times"], {**self.values, **place.indices})
        if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= 1000:
            raise parts["times"].error(f"times is a whole number from 0 to 1000, not {times}")
        for turn in range(times):
            self.step(node)
            inner = replace(place, top=False, indices={**place.indices, index: turn})
            source = self.sequence(_layers(parts["layers"]), source, inner)
        return source

    def stage(self, node: Node, parts: Mapping[str, Node], source: int, place: Place) -> int:
        """Layers, the last of which is a point where the network can be cut."""
        if "name" not in parts:
            raise node.error("stage needs a name")
        name = self.given_name(parts["name"], {**self.values, **place.indices})
        if any(name == known for known, _ in self.stages):
            raise parts["name"].error(f"two stages have the name '{name}'")
        before = len(self.calls)
        inner = replace(place, top=False, stages=(*place.stages, name))
        end = self.sequence(_layers(parts["layers"]), source, inner)
        if end < before:
            raise node.error(f"the stage '{name}' has no layer")
        self.stages.append((name, end))
        return end

    def head(self, node: Node, parts: Mapping[str, Node], source: int, place: Place) -> int:
        """The layers that a network without its top leaves out."""
        if not place.top:
            raise node.error("the head stands at the end of layers, not within another construct")
        before = len(self.calls)
        end = self.sequence(_layers(parts["layers"]), source, replace(place, top=False))
        if end < before:
            raise node.error("the head has no layer")
        self.features = source
        return end


def _layers(node: Node, *, empty: bool = False) -> tuple[Node, ...]:
    """The items of a list of layers."""
    items = node.items
    if items is None or not (items or empty):
        raise node.error("a list of layers is expected here, each beginning with '- '")
    return items


def _scalar(node: Node, values: Mapping[str, Value]) -> Value:
    if node.items is not None or node.mapping is not None:
        raise node.error("one value is expected here")
    return substitute(node, values)


def _snake(kind: str) -> str:
    """``Conv2DTranspose`` as ``conv2d_transpose``, ``ReLU`` as ``relu``."""
    if kind.endswith("LU"):
        return kind.lower()
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
