"""A neuron: one place of one channel of a layer, or one unit of a layer without rows and columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.synthesis.objectives.base import Objective

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel

_SYNTAX = re.compile(r"(\d+)(?:@(\d+),(\d+))?")


@dataclass(frozen=True)
class Neuron(Objective):
    """A single activation of a layer."""

    kind = "neuron"
    measure = "Activation: the value at the neuron's place."

    #: Row and column; empty for a unit.
    place: tuple[int, ...] = ()

    @classmethod
    def choose(cls, net: InspectedModel, layer: str, given: Sequence[str]) -> list[Neuron]:
        """Neurons, each as ``CHANNEL@ROW,COLUMN``, or ``UNIT`` in a layer without rows and columns."""
        layer = net.layer(layer)
        shape = [side for side in net.output_shape(layer) if side is not None]
        if len(shape) not in (1, 3):
            raise UsageError(f"{layer} of {net.name} gives {tuple(shape)}, in which no single neuron has a name.")
        sides = [*shape[2:], *shape[:2]] if len(shape) == 3 else shape
        units = ("channel", "row", "column") if len(sides) == 3 else ("unit",)
        found = []
        for name in given:
            match = _SYNTAX.fullmatch(name.replace(" ", ""))
            numbers = [] if match is None else [int(part) for part in match.groups() if part is not None]
            if len(numbers) != len(sides):
                form = "CHANNEL@ROW,COLUMN" if len(sides) == 3 else "UNIT"
                example = cls(sides[0] // 2, layer, tuple(side // 2 for side in sides[1:])).name
                raise UsageError(f"A neuron of {layer} is written {form}, e.g. {example}. Received: {name}")
            for number, side, unit in zip(numbers, sides, units, strict=True):
                if number >= side:
                    raise UsageError(f"{layer} of {net.name} has {unit}s 0 to {side - 1}. Received: {name}")
            found.append(cls(numbers[0], layer, tuple(numbers[1:])))
        return found

    @property
    def name(self) -> str:
        """``20@7,7`` or ``20``."""
        return f"{self.index}@{self.place[0]},{self.place[1]}" if self.place else str(self.index)

    def position(self, shape: tuple[int, ...]) -> int:
        """Its position among all places and channels."""
        return int(np.ravel_multi_index((*self.place, self.index), shape))
