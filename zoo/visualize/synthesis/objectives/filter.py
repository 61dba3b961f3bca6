"""A filter: the mean of one channel of a layer over all places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.core.errors import UsageError
from zoo.visualize.synthesis.objectives.base import Objective

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel

#: Stands for all filters of a layer.
ALL = "all"


class Filter(Objective):
    """A channel of a layer with rows and columns."""

    kind = "filter"
    steps: ClassVar[int] = 128
    size: ClassVar[int | None] = 128
    resizes_model = True
    measure = "Activation: the mean over the filter's map."

    @classmethod
    def check(cls, given: str | Sequence[int]) -> None:
        """Numbers and ranges."""
        if given != ALL:
            parse(given)

    @classmethod
    def choose(cls, net: InspectedModel, layer: str, given: str | Sequence[int]) -> list[Filter]:
        """Filters by number: ``[20, 21]``, ``"20,21"``, ``"0-63"`` or ``"all"``."""
        name = net.layer(layer)
        shape = net.output_shape(name)
        if len(shape) != 3 or shape[-1] is None:
            units = f"--neuron takes one of its {shape[-1]} units" if len(shape) == 1 else "its output is no map"
            raise UsageError(f"{name} of {net.name} gives {shape}, so it has no filters; {units}.")
        count = shape[-1]
        chosen = list(range(count)) if given == ALL else parse(given)
        for index in chosen:
            if not 0 <= index < count:
                raise UsageError(f"{name} of {net.name} has filters 0 to {count - 1}. Received: {index}")
        return [cls(index, name) for index in chosen]

    @property
    def fields(self) -> dict[str, Any]:
        """The number of the filter."""
        return {self.kind: self.index}

    def numbers(self, output: Any) -> Any:
        """The mean of each channel."""
        from keras import ops

        return ops.mean(output, axis=(1, 2))


def parse(given: str | Sequence[int]) -> list[int]:
    """Numbers from a text such as ``"20,21"`` or ``"0-63"``, each once, in the order given.

    Raises:
        UsageError: it is no such text.
    """
    if not isinstance(given, str):
        return list(dict.fromkeys(int(index) for index in given))
    found: dict[int, None] = {}
    for part in given.replace(" ", "").split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise UsageError(f"Filters are written as numbers and ranges, e.g. 20,21 or 0-63. Received: {given}")
        found |= dict.fromkeys(range(int(match[1]), int(match[2] or match[1]) + 1))
    return list(found)
