"""What explanation methods share: target class, layer, the map at the image's size, and why a map is blank."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.faithfulness import Faithfulness
from zoo.visualize.explain.masking import resize_map
from zoo.visualize.network.batching import BATCH_SIZE, batches
from zoo.visualize.network.inspected_model import InspectedModel


@dataclass(frozen=True, eq=False)
class Explanation:
    """One method's map of the evidence for a class in an image."""

    method: str
    model: str
    #: ``None`` for a method that uses no layer.
    layer: str | None
    #: The class: its index, name and predicted probability.
    index: int
    label: str
    score: float
    #: float32 (height, width) of the model's input, >= 0: evidence for the class.
    map: np.ndarray
    #: float32 (rows, columns), before clipping and resizing: evidence against the class is negative.
    values: np.ndarray
    #: Why the map is blank, if it is.
    blank: str | None = None
    #: ``None`` until it was measured.
    faithfulness: Faithfulness | None = None


class Method(ABC):
    """An explanation method; a subclass implements :meth:`values` and :meth:`blank`."""

    #: Of its row in :data:`zoo.visualize.explain.methods.METHODS`.
    name: ClassVar[str]
    #: For people: its name, source, and what its maps show.
    title: ClassVar[str]
    paper: ClassVar[str]
    summary: ClassVar[str]
    #: Whether it uses a layer.
    has_layer: ClassVar[bool] = False

    def __init__(self, net: InspectedModel, *, layer: str | None = None) -> None:
        """Prepare the method for a model; the default layer is :attr:`InspectedModel.default_layer`.

        Raises:
            UsageError: an unknown layer, one without rows and columns, a layer for a method that uses none, or a model
                that is not a classifier.
        """
        shape = tuple(net.flat.logits.shape)[1:]
        if len(shape) != 1:
            raise UsageError(f"{net.name} gives {shape} for an image, and not one number a class to be explained.")
        self.net = net
        self.layer: str | None = None
        if self.has_layer:
            self.layer = net.default_layer if layer is None else net.require_map(layer, f" for {self.title}")
        elif layer is not None:
            raise UsageError(f"{self.title} looks at no layer but at the pixels; leave out --layer {layer}.")

    @abstractmethod
    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Evidence for a class of each image, float32 (n, rows, columns) of any size; evidence against it is negative.

        ``pixels`` are float32 (n, height, width, channels), at most :data:`BATCH_SIZE`; ``targets`` int32 (n,).
        """

    @abstractmethod
    def blank(self, values: np.ndarray) -> str:
        """Why there is no evidence for the class: ``values``, float32 (rows, columns), are nowhere above 0."""

    def explain(
        self, pixels: np.ndarray, targets: Sequence[int] | np.ndarray, scores: np.ndarray | None = None
    ) -> Iterator[Explanation]:
        """Explain a class of each image, in batches.

        ``pixels`` are the model's input, uint8 or float (n, height, width, channels); ``scores`` are the probabilities
        of the targets, predicted if omitted.

        Raises:
            UnavailableError: the method needs gradients, and the model has none.
        """
        targets = np.asarray(targets, "int32")
        if scores is None:
            scores = self.net.predict(pixels)[np.arange(len(pixels)), targets]
        height, width, _ = self.net.input_shape
        done = 0
        for batch, count in batches(pixels, BATCH_SIZE):
            chosen = targets[done : done + count]
            filled = np.concatenate([chosen, np.repeat(chosen[-1:], len(batch) - count)])
            found = self.values(batch.astype("float32"), filled)[:count]
            for number, values in enumerate(np.nan_to_num(np.asarray(found, "float32")), start=done):
                drawn = resize_map(np.maximum(values, 0), height, width)
                yield Explanation(
                    method=self.name,
                    model=self.net.name,
                    layer=self.layer,
                    index=int(targets[number]),
                    label=self.net.label(int(targets[number])),
                    score=float(scores[number]),
                    map=drawn,
                    values=values,
                    blank=None if drawn.max() > 0 else self.blank(values),
                )
            done += count


class LayerMethod(Method):
    """A method that weighs a layer's activations by the gradient of the logit; a subclass implements :meth:`weigh`."""

    has_layer = True
    #: Whether gradients below 0 are ignored, which gives a blank map another reason.
    positive_only: ClassVar[bool] = False

    @abstractmethod
    def weigh(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The map of activations and gradients, both float32 (n, rows, columns, channels): (n, rows, columns)."""

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The weighted activations."""
        assert self.layer is not None
        activations = self.net.activations(self.layer, pixels)
        (gradients,), _ = self.net.gradient_at(self.layer)(activations, pixels, targets)
        return self.weigh(activations, gradients)

    def blank(self, values: np.ndarray) -> str:
        """No positive weighted activation."""
        if values.any():
            return f"the channels of {self.layer}, weighed by their gradients, are negative everywhere for this class"
        if self.positive_only:
            return f"no place of {self.layer} that is active here has a gradient above 0 for this class"
        return f"this class's logit does not depend on what {self.layer} sees here: gradients or activations are 0"


class PixelMethod(Method):
    """A method that uses the gradient of the class's logit by the pixels."""

    def blank(self, values: np.ndarray) -> str:
        """The gradient vanishes."""
        return "the logit of this class has a gradient of 0 at every pixel: no small change of the image changes it"
