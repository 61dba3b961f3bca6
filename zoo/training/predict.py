"""What a network says to images, batch by batch: for the judgement of every epoch, and for the one at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import engines
from zoo.core.spec import Preprocessing
from zoo.data.loading.loader import Loader
from zoo.images.sources import Source
from zoo.pretrained import keras_file

if TYPE_CHECKING:
    from zoo.engines.devices import Device

#: uint8 images (b, height, width, 3) and float32 shares of the classes (b, classes).
Batches = Iterable[tuple[np.ndarray, np.ndarray]]


def scores(network: Any, batches: Batches) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a network that classifies, float32 (n, classes), and the true classes, int64 (n,)."""
    outputs, labels = [], []
    for x, y in batches:
        outputs.append(np.asarray(network.predict_on_batch(x), "float32"))
        labels.append(y.argmax(1))
    return np.concatenate(outputs), np.concatenate(labels)


def squared_error(network: Any, batches: Batches, preprocessing: Preprocessing) -> float:
    """Mean squared error of a network that draws its input, as ``preprocessing`` leaves it, again."""
    total, count = 0.0, 0
    for x, _ in batches:
        error = np.asarray(network.predict_on_batch(x), "float32") - preprocessing.apply(x)
        total += float(np.square(error).mean(axis=(1, 2, 3)).sum())
        count += len(x)
    return total / count


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a network says of the images of a split.

    ``scores`` is float32 (n, classes), ``labels`` int64 (n,), and ``sources`` has the n images.
    """

    split: str
    scores: np.ndarray
    labels: np.ndarray
    sources: Sequence[Source]

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each image: int64 (n,)."""
        best: np.ndarray = self.scores.argmax(1)
        return best

    @property
    def wrong(self) -> np.ndarray:
        """The mistakes, the surest first: indices (m,)."""
        return self._sorted(np.flatnonzero(self.predicted != self.labels), -self.scores.max(1))

    @property
    def right(self) -> np.ndarray:
        """Images that are named right, the least sure first: indices (m,)."""
        return self._sorted(np.flatnonzero(self.predicted == self.labels), self.scores.max(1))

    def _sorted(self, indices: np.ndarray, by: np.ndarray) -> np.ndarray:
        order: np.ndarray = indices[np.argsort(by[indices], kind="stable")]
        return order


def judge(network: Any, loader: Loader, split: str) -> Judgement:
    """Show a network all images of a loader; those that cannot be read are left out."""
    found, labels = scores(network, loader.epoch(0))
    return Judgement(split, found, labels, [loader.split.sources[index] for index in loader.kept])


class Runner:
    """A network in a file, run as every other command runs it, with what :func:`scores` asks of a network."""

    def __init__(self, file: Path, device: Device) -> None:
        """Start an engine.

        Raises:
            UnavailableError: it cannot be run there.
        """
        self._engine = engines.start(keras_file.read_spec(file), None, device)
        self.batch_size = self._engine.batch_size

    def predict_on_batch(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (b, height, width, 3) to float32 (b, …)."""
        size = self._engine.batch_size
        parts = (pixels[begin : begin + size] for begin in range(0, len(pixels), size))
        return np.concatenate(list(self._engine.run(parts)))
