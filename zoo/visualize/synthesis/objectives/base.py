"""What objectives share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing import Self

    from zoo.visualize.network.inspected_model import InspectedModel


@dataclass(frozen=True)
class Objective(ABC):
    """A number that a model computes for an image, to be maximized."""

    #: The channel, unit or class.
    index: int
    #: ``None`` for an objective that belongs to no layer.
    layer: str | None = None

    #: Of its row in :data:`zoo.visualize.synthesis.objectives.OBJECTIVES`.
    kind: ClassVar[str]
    #: Default steps of ascent.
    steps: ClassVar[int] = 256
    #: Default side of the images; the model's input size within 128 to 512 if ``None``.
    size: ClassVar[int | None] = None
    #: Whether the model runs at the size of the images, if its layers allow that, instead of its own input size.
    resizes_model: ClassVar[bool] = False
    #: A sentence on what the activation is.
    measure: ClassVar[str]
    #: Precedes the activation in a caption.
    prefix: ClassVar[str] = ""

    @classmethod  # noqa: B027 - most need none
    def check(cls, given: Any) -> None:
        """Check the syntax of what was given, without a model.

        Raises:
            UsageError: it is malformed.
        """

    @classmethod
    @abstractmethod
    def choose(cls, net: InspectedModel, layer: str, given: Any) -> list[Self]:
        """The objectives that were given.

        Raises:
            UsageError: the model has no such layer, or the layer no such objective.
        """

    @property
    def name(self) -> str:
        """As it is given on the command line."""
        return str(self.index)

    @property
    def caption(self) -> str:
        """For people."""
        return f"{self.kind} {self.name}"

    @property
    def fields(self) -> dict[str, Any]:
        """Its keys in an output row."""
        return {self.kind: self.name}

    @property
    def place(self) -> tuple[int, ...]:
        """Row and column, for an objective that has them."""
        return ()

    def tensors(self, net: InspectedModel) -> tuple[Any, Any]:
        """The symbolic output that it is a number of, and the features by which images of it are told apart."""
        output = net.tensor(self.layer or "")
        return output, output

    def numbers(self, output: Any) -> Any:
        """All numbers of this kind, (n, numbers), of an output."""
        from keras import ops

        return ops.reshape(output, (-1, math.prod(output.shape[1:])))

    def position(self, shape: tuple[int, ...]) -> int:
        """Its position in :meth:`numbers`, for an output of this shape without the batch."""
        return self.index
