"""The result of an evaluation: metrics, mistakes, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.core.spec import Resize
from zoo.engines.tta import Augmentation
from zoo.evaluation import abstention, metrics
from zoo.evaluation.scores import Scored
from zoo.inference.temperature import DECIMALS, apply_temperature
from zoo.pretrained import keras_file

#: Mistakes and pairs of classes that a summary lists.
LISTED = 20


@dataclass(frozen=True, eq=False)
class Calibration:
    """A temperature fitted on other images; ``None`` if there is no best one, with the ``problem``."""

    on: str
    scored: Scored
    temperature: float | None
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's scores for images with known classes, and the metrics of them.

    ``file`` is the model's ``.keras`` file, if any. ``split`` is the part of the dataset, ``None`` for all of it.
    ``names`` are those of the outputs. ``temperature`` is the stored one, already applied to ``scores``.
    """

    model: str
    file: str | None
    dataset: str
    split: str | None
    names: tuple[str, ...]
    scored: Scored
    resize: Resize
    temperature: float
    tta: Augmentation | None
    device: str
    engine: str
    seconds: float
    calibration: Calibration | None = None

    @property
    def scores(self) -> np.ndarray:
        """Class probabilities, float32 (n, classes)."""
        return self.scored.scores

    @property
    def labels(self) -> np.ndarray:
        """True classes, int64 (n,), as indices of ``scores``' columns."""
        return self.scored.labels

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the n images."""
        return tuple(source.path for source in self.scored.sources)

    @property
    def failed(self) -> tuple[tuple[str, str], ...]:
        """Path and reason of each unreadable image, also of those to calibrate on."""
        return self.scored.failed + (self.calibration.scored.failed if self.calibration else ())

    @cached_property
    def predicted(self) -> np.ndarray:
        """The predicted class of each image, int64 (n,)."""
        return self.scores.argmax(axis=1) if len(self.labels) else np.zeros(0, np.int64)

    @property
    def top1(self) -> float | None:
        """The top-1 accuracy, 0-1; ``None`` if no image could be read."""
        return float((self.predicted == self.labels).mean()) if len(self.labels) else None

    @cached_property
    def present(self) -> np.ndarray:
        """The classes that are true or predicted for some image, in order, int64 (k,)."""
        return np.union1d(self.labels, self.predicted)

    @cached_property
    def confusion(self) -> np.ndarray:
        """The confusion matrix of the present classes, int64 (k, k), true classes in rows."""
        predicted, labels = (np.searchsorted(self.present, values) for values in (self.predicted, self.labels))
        return metrics.confusion_matrix(predicted, labels, len(self.present))

    def mistakes(self, limit: int | None = None) -> np.ndarray:
        """Indices of the misclassified images, the most confident first, int64."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        confidence = self.scores[wrong].max(axis=1) if wrong.size else np.zeros(0)
        return wrong[np.argsort(-confidence, kind="stable")][:limit]

    def row(self, index: int) -> dict[str, Any]:
        """One image: its path, true and predicted class, the latter's probability, and the true one's rank."""
        scores, label = self.scores[index], self.labels[index]
        return {
            "path": self.scored.sources[index].path,
            "truth": self.names[label],
            "predicted": self.names[self.predicted[index]],
            "score": round(float(scores.max()), DECIMALS),
            "rank": int(metrics.true_class_ranks(scores[None], np.array([label]))[0]),
        }

    def abstention(self, precision: float) -> dict[str, Any] | None:
        """A threshold for :meth:`zoo.Classifier.predict` with which ``precision`` of the answers are right.

        It is chosen on the images to calibrate on, with their temperature, if there are any; else on the evaluated
        ones, for which it is slightly optimistic.

        Returns:
            ``precision_asked``, ``threshold``, ``chosen_on``, and for the evaluated images ``coverage``, the share that
            is answered, ``precision`` and ``precision_interval``; ``None`` if no threshold reaches it.
        """
        scores, chosen, where = self.scores, self.scored, self.split or self.dataset
        choosing = scores
        if self.calibration:
            temperature = self.calibration.temperature or 1.0
            chosen, where = self.calibration.scored, self.calibration.on
            choosing, scores = (apply_temperature(values, temperature) for values in (chosen.scores, scores))
        found = abstention.find_threshold(choosing, chosen.labels, precision) if len(chosen.labels) else None
        if found is None or not len(self.labels):
            return None
        applied = abstention.apply_threshold(scores, self.labels, found.threshold)
        return {
            "precision_asked": precision,
            "threshold": found.threshold,
            "chosen_on": where,
            "coverage": applied.coverage,
            "precision": applied.precision,
            "precision_interval": list(metrics.wilson_interval(applied.right, applied.answered)),
        }

    def summary(self) -> dict[str, Any]:
        """Everything as plain values for JSON; ``docs/evaluate.md`` describes each key."""
        predictions = metrics.Predictions(self.scores, self.labels) if len(self.labels) else None
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "n": len(self.labels),
            **metrics.compute(predictions),
            **(self._details(predictions) if predictions else {}),
            "temperature": self.temperature,
            "calibration": self._calibrated(),
            "tta": self.tta,
            "failed": [{"path": path, "error": error} for path, error in self.failed],
            "device": self.device,
            "engine": self.engine,
            "seconds": round(self.seconds, 2),
        }

    def store_temperature(self) -> float:
        """Write the fitted temperature, times the stored one, into the model's file; every command uses it.

        Returns:
            the temperature that is stored.

        Raises:
            UsageError: none was fitted, the model is not in a file, or it gives no probabilities.
            UnavailableError: the file cannot be written.
        """
        fitted = self.calibration
        if fitted is None or fitted.temperature is None:
            problem = fitted.problem if fitted else None
            raise UsageError(problem or "No temperature was fitted; choose the images for that with --calibrate-on.")
        if self.file is None or self.scored.logits:
            why = "is not in a .keras file" if self.file is None else "gives logits: end it in a softmax"
            raise UsageError(f"{self.model} cannot store a temperature, because it {why}.")
        value = round(self.temperature * fitted.temperature, 4)
        keras_file.store_temperature(self.file, value)
        return value

    def _details(self, predictions: metrics.Predictions) -> dict[str, Any]:
        """Lists of classes, pairs of classes and images."""
        rows = metrics.per_class(predictions)
        names = [self.names[index] for index in self.present]
        confused = metrics.most_confused(self.confusion, names, LISTED)
        return {
            "per_class": [
                {"name": name, "index": int(index), **rows[index]}
                for name, index in zip(names, self.present, strict=True)
            ],
            "most_confused": [{"truth": truth, "predicted": guess, "count": count} for truth, guess, count in confused],
            "mistakes": [self.row(index) for index in self.mistakes(LISTED)],
        }

    def _calibrated(self) -> dict[str, Any] | None:
        """The fitted temperature, and its effect on the evaluated images."""
        fitted = self.calibration
        if fitted is None:
            return None
        about = {"on": fitted.on, "n": len(fitted.scored.labels), "temperature": fitted.temperature}
        if fitted.temperature is None or not len(self.labels):
            return about
        found = metrics.Predictions(apply_temperature(self.scores, fitted.temperature), self.labels)
        return {
            **about,
            "loss": metrics.cross_entropy(found),
            "confidence": metrics.mean_confidence(found),
            "ece": metrics.expected_calibration_error(found),
        }
