"""A class: its logit, before the softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.visualize.synthesis.objectives.base import Objective

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel


@dataclass(frozen=True)
class ClassLogit(Objective):
    """The logit of a class."""

    kind = "class"
    measure = "Logit: before the softmax."
    prefix = "logit "

    #: The name of the class.
    label: str = ""

    @classmethod
    def choose(cls, net: InspectedModel, layer: str | None, given: Sequence[str | int]) -> list[ClassLogit]:
        """Classes by name, WordNet id or index."""
        indices = [net.target(name) for name in given]
        return [cls(index, label=net.label(index)) for index in indices]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.label

    @property
    def caption(self) -> str:
        """The name of the class."""
        return self.label

    @property
    def fields(self) -> dict[str, Any]:
        """Index and name of the class."""
        return {"index": self.index, "class": self.label}

    def tensors(self, net: InspectedModel) -> tuple[Any, Any]:
        """The logits, and the last feature map, in which two images of one class differ."""
        return net.flat.logits, net.tensor(net.default_layer)
