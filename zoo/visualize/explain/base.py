"""What all explanations share: which class, which layer, the map at the image's size, and why one is blank."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.visualize.network.subject import BATCH_SIZE, Subject, batches

if TYPE_CHECKING:
    from zoo.visualize.explain.faithfulness import Faithfulness


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where a network sees a class in an image, by one method."""

    method: str
    model: str
    #: The layer that was looked at; ``None`` for a method that needs none.
    layer: str | None
    #: The class, its name, and the probability that the network gives it.
    index: int
    label: str
    score: float
    #: float32 (height, width) of the image as the network takes it, 0 or more: evidence for the class.
    map: np.ndarray
    #: What the method gives before that: float32 (rows, columns), evidence against the class below 0.
    values: np.ndarray
    #: Why the map is blank, where it is.
    blank: str | None = None
    #: How much the network's probability follows the map, once it was measured.
    faithfulness: Faithfulness | None = None


class Method(ABC):
    """One way to say which parts of an image speak for a class. A subclass gives :meth:`values`."""

    #: As it is typed, as it is written, and where it comes from.
    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    #: Whether it looks at a layer.
    has_layer: ClassVar[bool] = False

    def __init__(self, subject: Subject, *, layer: str | None = None) -> None:
        """Take a network.

        Args:
            subject: the network.
            layer: whose map is looked at, where the method has one; :attr:`Subject.default_layer` without.

        Raises:
            UsageError: there is no such layer, its output has no rows and columns, or the method takes none; or the
                network does not classify.
        """
        shape = tuple(subject.flat.logits.shape)[1:]
        if len(shape) != 1:
            raise UsageError(f"{subject.name} gives {shape} for an image, and not one number a class to be explained.")
        self.subject = subject
        self.layer: str | None = None
        if self.has_layer:
            self.layer = subject.default_layer if layer is None else subject.layer(layer)
            if not subject.is_map(self.layer):
                shape = tuple(getattr(subject.tensor(self.layer), "shape", ()))[1:]
                raise UsageError(
                    f"{self.layer} of {subject.name} gives {shape}, which has no rows and columns; {self.title} "
                    f"takes a layer with a map, such as {subject.default_layer}."
                )
        elif layer is not None:
            raise UsageError(f"{self.title} looks at no layer but at the pixels; leave out --layer {layer}.")

    @abstractmethod
    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Evidence for a class at each place, against it below 0.

        Args:
            pixels: float32 (n, height, width, channels), at most :data:`BATCH_SIZE`.
            targets: int32 (n,), a class for each image.

        Returns:
            float32 (n, rows, columns), of any size.
        """

    @abstractmethod
    def blank(self, values: np.ndarray) -> str:
        """Why there is no evidence for the class in an image.

        Args:
            values: float32 (rows, columns), what the method gave: nowhere above 0.
        """

    def explain(
        self, pixels: np.ndarray, targets: Sequence[int] | np.ndarray, scores: np.ndarray | None = None
    ) -> Iterator[Explanation]:
        """Explain a class of each image, in batches; memory does not grow with their number but for the pixels.

        Args:
            pixels: uint8 or float (n, height, width, channels) as the network takes them.
            targets: a class for each.
            scores: float (n,), their probabilities where they are known; computed without.

        Raises:
            UnavailableError: the network has no gradients, and the method needs them.
        """
        targets = np.asarray(targets, "int32")
        if scores is None:
            scores = self.subject.predict(pixels)[np.arange(len(pixels)), targets]
        height, width, _ = self.subject.input_shape
        done = 0
        for batch, count in batches(pixels, BATCH_SIZE):
            chosen = targets[done : done + count]
            filled = np.concatenate([chosen, np.repeat(chosen[-1:], len(batch) - count)])
            found = self.values(batch.astype("float32"), filled)[:count]
            for number, values in enumerate(np.nan_to_num(np.asarray(found, "float32")), start=done):
                drawn = enlarged(np.maximum(values, 0), height, width)
                yield Explanation(
                    method=self.name,
                    model=self.subject.name,
                    layer=self.layer,
                    index=int(targets[number]),
                    label=self.subject.label(int(targets[number])),
                    score=float(scores[number]),
                    map=drawn,
                    values=values,
                    blank=None if drawn.max() > 0 else self.blank(values),
                )
            done += count


class LayerMethod(Method):
    """A method that weighs a layer by the gradient of the class's logit. A subclass gives :meth:`weigh`."""

    has_layer = True

    @abstractmethod
    def weigh(self, activations: np.ndarray, gradients: np.ndarray, logits: np.ndarray) -> np.ndarray:
        """The map from what a layer gives and the gradient of the class's logit by it.

        Args:
            activations: float32 (n, rows, columns, channels).
            gradients: the same.
            logits: float32 (n,) of the class.

        Returns:
            float32 (n, rows, columns).
        """

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The layer once forward, and what is above it back."""
        assert self.layer is not None
        activations = self.subject.activations(self.layer, pixels)
        (gradients,), logits = self.subject.gradient_at(self.layer)(activations, pixels, targets)
        return self.weigh(activations, gradients, logits[np.arange(len(targets)), targets])

    def blank(self, values: np.ndarray) -> str:
        """What the layer sees speaks against the class, or has nothing to do with it."""
        if not values.any():
            return f"this class's logit does not depend on what {self.layer} sees here: gradients or activations are 0"
        return f"the channels of {self.layer}, weighed by their gradients, are negative everywhere for this class"


class PixelMethod(Method):
    """A method that takes the gradient of the class's logit by the pixels."""

    def blank(self, values: np.ndarray) -> str:
        """Nothing moves the logit."""
        return "the logit of this class has a gradient of 0 at every pixel: no small change of the image changes it"


def enlarged(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map at another size, bilinear between the middles of its places, as Keras and Pillow both have it.

    Args:
        values: float32 (rows, columns).
        height: of the result.
        width: of the result.

    Returns:
        float32 (height, width).
    """
    if values.shape == (height, width):
        return values
    image: Any = Image.fromarray(np.ascontiguousarray(values, "float32"), "F")
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
