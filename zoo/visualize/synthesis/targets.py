"""What an image is made for: a filter, a neuron or a class, which are three things."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    from zoo.visualize.network.subject import Subject

Kind = Literal["filter", "neuron", "class"]

_NEURON = re.compile(r"(\d+)(?:@(\d+),(\d+))?")


@dataclass(frozen=True)
class Target:
    """A number of a network that an image shall raise.

    A *filter* is a channel of a layer's map: its mean over all places. A *neuron* is one place of one channel, or one
    unit of a layer without a map. A *class* is one of the network's answers: its logit.
    """

    kind: Kind
    #: The channel, the unit or the class.
    index: int
    #: The layer; ``None`` for a class.
    layer: str | None = None
    #: Row and column of a neuron in its layer's map.
    place: tuple[int, int] | None = None
    #: The name of a class.
    label: str = ""

    def __str__(self) -> str:
        """As a caption has it."""
        if self.kind == "class":
            return self.label
        return f"{self.kind} {self.name}"

    @property
    def name(self) -> str:
        """As it is typed: the channel, a neuron's channel with its place, or the class's name."""
        if self.kind == "class":
            return self.label
        return str(self.index) if self.place is None else f"{self.index}@{self.place[0]},{self.place[1]}"


def filters_of(subject: Subject, layer: str, indices: str | Sequence[int] | None = None) -> list[Target]:
    """Filters of a layer.

    Args:
        subject: the network.
        layer: whose filters.
        indices: numbers from 0, or a text such as ``"20,21"`` and ``"0-63"``; all filters without.

    Raises:
        UsageError: there is no such layer, it has no map, or not so many filters.
    """
    name = subject.layer(layer)
    shape = tuple(getattr(subject.tensor(name), "shape", ()))
    if len(shape) != 4:
        units = f"--neuron takes one of its {shape[-1]} units" if len(shape) == 2 else "its output is no map"
        raise UsageError(f"{name} of {subject.name} gives {shape[1:]}, so it has no filters; {units}.")
    chosen = range(shape[-1]) if indices is None else numbers(indices)
    for index in chosen:
        if not 0 <= index < shape[-1]:
            raise UsageError(f"{name} of {subject.name} has filters 0 to {shape[-1] - 1}. Received: {index}")
    return [Target("filter", index, name) for index in chosen]


def neurons_of(subject: Subject, layer: str, names: Sequence[str]) -> list[Target]:
    """Neurons of a layer, each as ``CHANNEL@ROW,COLUMN``; ``UNIT`` where the layer has no rows and columns.

    Raises:
        UsageError: there is no such layer, no such place in its map, or the text says neither.
    """
    layer = subject.layer(layer)
    shape = tuple(getattr(subject.tensor(layer), "shape", ()))[1:]
    if len(shape) not in (1, 3) or None in shape:
        raise UsageError(f"{layer} of {subject.name} gives {shape}, in which no single neuron has a name.")
    form = "CHANNEL@ROW,COLUMN" if len(shape) == 3 else "UNIT"
    sides = [*shape[2:], *shape[:2]] if len(shape) == 3 else list(shape)
    found = []
    for name in names:
        match = _NEURON.fullmatch(name.replace(" ", ""))
        given = [] if match is None else [int(part) for part in match.groups() if part is not None]
        if len(given) != len(sides):
            raise UsageError(f"A neuron of {layer} is written {form}, e.g. {_example(sides)}. Received: {name}")
        whats = ("channel", "row", "column") if len(sides) > 1 else ("unit",)
        for number, side, what in zip(given, sides, whats, strict=True):
            if number >= side:
                raise UsageError(f"{layer} of {subject.name} has {what}s 0 to {side - 1}. Received: {name}")
        found.append(Target("neuron", given[0], layer, (given[1], given[2]) if len(given) == 3 else None))
    return found


def classes_of(subject: Subject, names: Sequence[str | int]) -> list[Target]:
    """Classes by name, WordNet id or index.

    Raises:
        UsageError: there is no such class, or there are two of that name.
    """
    indices = [subject.target(name) for name in names]
    return [Target("class", index, label=subject.label(index)) for index in indices]


def choose(
    subject: Subject,
    *,
    layer: str | None = None,
    filters: str | Sequence[int] | None = None,
    neurons: Sequence[str] | None = None,
    classes: Sequence[str | int] | None = None,
) -> list[Target]:
    """The targets that somebody means; arguments as for :func:`zoo.visualize.maximize`.

    Raises:
        UsageError: none or several kinds of them, or none of that name.
    """
    check(layer=layer, filters=filters, neurons=neurons, classes=classes)
    if classes:
        return classes_of(subject, classes)
    assert layer is not None
    if neurons:
        return neurons_of(subject, layer, neurons)
    return filters_of(subject, layer, None if filters == "all" else filters)


def check(*, layer: str | None, filters: Any, neurons: Any, classes: Any) -> None:
    """See that one kind of target is given, and a layer where that has one; it takes no network.

    Raises:
        UsageError: it is not so.
    """
    given = [kind for kind, value in (("filter", filters), ("neuron", neurons), ("class", classes)) if value]
    if len(given) != 1:
        found = "none was given" if not given else f"{' and '.join(given)} were given"
        raise UsageError(f"An image is made for filters, for neurons or for classes, and {found}; choose one of them.")
    if given == ["class"] and layer is not None:
        raise UsageError(f"A class belongs to no layer; leave out the layer {layer}, or ask for one of its filters.")
    if given != ["class"] and layer is None:
        raise UsageError(f"A {given[0]} belongs to a layer; say which, e.g. --layer stage3.")


def numbers(indices: str | Sequence[int]) -> list[int]:
    """Numbers from a text such as ``"20,21"`` and ``"0-63"``, each once, in the order given.

    Raises:
        UsageError: it is no such text.
    """
    if not isinstance(indices, str):
        return list(dict.fromkeys(int(index) for index in indices))
    found: dict[int, None] = {}
    for part in indices.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise UsageError(f"Filters are written as numbers and ranges, e.g. 20,21 or 0-63. Received: {indices}")
        found |= dict.fromkeys(range(int(match[1]), int(match[2] or match[1]) + 1))
    return list(found)


def _example(sides: Sequence[int]) -> str:
    channel, *place = (side // 2 for side in sides)
    return f"{channel}@{place[0]},{place[1]}" if place else str(channel)
