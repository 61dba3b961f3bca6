"""A network's outputs for images, batch by batch: for the validation of every epoch and for the final evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import engines
from zoo.core.spec import Preprocessing
from zoo.data.loading.loader import Loader
from zoo.evaluation.metrics import Predictions
from zoo.images.source import Source
from zoo.pretrained import keras_file

if TYPE_CHECKING:
    from zoo.engines.devices import Device

LabelledBatches = Iterable[tuple[np.ndarray, np.ndarray]]  #: Inputs of a network, and labels, float32 (b, classes).


def scores(network: Any, batches: LabelledBatches) -> tuple[np.ndarray, np.ndarray]:
    """Scores, float32 (n, classes), and true classes, int64 (n,)."""
    outputs, labels = [], []
    for x, y in batches:
        outputs.append(np.asarray(network.predict_on_batch(x), "float32"))
        labels.append(y.argmax(1))
    return np.concatenate(outputs), np.concatenate(labels)


def squared_error(network: Any, batches: LabelledBatches, preprocessing: Preprocessing) -> float:
    """Mean squared error of an autoencoder: its outputs against its preprocessed inputs."""
    total, count = 0.0, 0
    for x, _ in batches:
        error = np.asarray(network.predict_on_batch(x), "float32") - preprocessing.apply(x)
        total += float(np.square(error).mean(axis=(1, 2, 3)).sum())
        count += len(x)
    return total / count


class SplitPredictions(Predictions):
    """The predictions for the images of a split: scores (n, classes), labels (n,) and ``sources``."""

    def __init__(self, split: str, scores: np.ndarray, labels: np.ndarray, sources: Sequence[Source]) -> None:
        """Check that scores and labels belong together."""
        super().__init__(scores, labels)
        self.split, self.sources = split, sources

    @property
    def wrong(self) -> np.ndarray:
        """The mistakes, the most confident first: indices (m,)."""
        return self._sorted(np.flatnonzero(self.predicted != self.labels), -self.scores.max(1))

    @property
    def right(self) -> np.ndarray:
        """Correct predictions, the least confident first: indices (m,)."""
        return self._sorted(np.flatnonzero(self.predicted == self.labels), self.scores.max(1))

    def _sorted(self, indices: np.ndarray, by: np.ndarray) -> np.ndarray:
        return np.asarray(indices[np.argsort(by[indices], kind="stable")])


def predict(network: Any, loader: Loader, split: str) -> SplitPredictions:
    """Predictions for all images of a loader, without those that cannot be read."""
    found, labels = scores(network, loader.epoch(0))
    return SplitPredictions(split, found, labels, [loader.split.sources[index] for index in loader.kept])


class EngineModel:
    """A network in a file, run by an engine as in every other command, for :func:`scores`."""

    def __init__(self, file: Path, device: Device) -> None:
        """Start an engine."""
        self._engine = engines.start(keras_file.read_spec(file), None, device)

    def predict_on_batch(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (b, height, width, 3) to float32 (b, …)."""
        size = self._engine.batch_size
        parts = (pixels[begin : begin + size] for begin in range(0, len(pixels), size))
        return np.concatenate(list(self._engine.run(parts)))
