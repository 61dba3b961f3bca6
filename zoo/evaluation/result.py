"""What a network's scores on images with known classes amount to: figures, mistakes, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.core.spec import Resize
from zoo.evaluation import calibration, metrics
from zoo.evaluation.scores import Scored, Views
from zoo.inference.temperature import DECIMALS, apply_temperature
from zoo.pretrained import keras_file

#: Mistakes and pairs of classes that a summary lists.
LISTED = 20


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was fitted on images that are not judged: ``temperature``, or ``None`` and ``problem``, why not."""

    on: str
    scored: Scored
    temperature: float | None
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's scores on images with known classes, and what they amount to.

    ``file`` is the network's own, where it is in one. ``split`` is the part of the dataset that was judged, ``None``
    for all of it. ``names`` are those of the outputs.
    ``temperature`` is the one that ``scores`` have in them already.
    """

    model: str
    file: str | None
    dataset: str
    split: str | None
    names: tuple[str, ...]
    scored: Scored
    resize: Resize
    temperature: float
    tta: Views | None
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
        """Path and reason of each image that could not be read, of those to calibrate on too."""
        return self.scored.failed + (self.calibration.scored.failed if self.calibration else ())

    @cached_property
    def predicted(self) -> np.ndarray:
        """The best class of each image, int64 (n,)."""
        return self.scores.argmax(axis=1) if len(self.labels) else np.zeros(0, np.int64)

    @property
    def top1(self) -> float | None:
        """The share of images whose best class is the true one, 0-1; ``None`` where none could be read."""
        return float((self.predicted == self.labels).mean()) if len(self.labels) else None

    @cached_property
    def present(self) -> np.ndarray:
        """The classes that are true or predicted for some image, in order, int64 (k,)."""
        return np.union1d(self.labels, self.predicted)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts of the present classes, int64 (k, k): the true class down, the predicted one across."""
        predicted, labels = (np.searchsorted(self.present, values) for values in (self.predicted, self.labels))
        return metrics.confusion(predicted, labels, len(self.present))

    def mistakes(self, limit: int | None = None) -> np.ndarray:
        """Indices of the images whose best class is wrong, the surest first, int64."""
        wrong = np.flatnonzero(self.predicted != self.labels)
        confidence = self.scores[wrong].max(axis=1) if wrong.size else np.zeros(0)
        return wrong[np.argsort(-confidence, kind="stable")][:limit]

    def abstention(self, precision: float) -> dict[str, Any] | None:
        """A threshold for :meth:`zoo.Classifier.predict` with which ``precision`` of the answers are right.

        It is chosen on the images to calibrate on, where there are some, with their temperature; else on those that
        are judged, for which it is then a little too good.

        Returns:
            ``precision_asked``, ``threshold``, ``chosen_on``, and of the judged images ``coverage``, the share that
            is answered, ``precision`` and ``precision_interval``; ``None`` where no threshold does it.
        """
        scores, chosen, where = self.scores, self.scored, self.split or self.dataset
        choosing = scores
        if self.calibration:
            temperature = self.calibration.temperature or 1.0
            chosen, where = self.calibration.scored, self.calibration.on
            choosing, scores = (apply_temperature(values, temperature) for values in (chosen.scores, scores))
        found = calibration.abstain(choosing, chosen.labels, precision) if len(chosen.labels) else None
        if found is None or not len(self.labels):
            return None
        applied = calibration.apply_threshold(scores, self.labels, found.threshold)
        return {
            "precision_asked": precision,
            "threshold": found.threshold,
            "chosen_on": where,
            "coverage": applied.coverage,
            "precision": applied.precision,
            "precision_interval": list(metrics.interval(applied.right, applied.answered)),
        }

    def summary(self) -> dict[str, Any]:
        """All figures as plain values for JSON; ``docs/evaluate.md`` has a line on each key."""
        n = len(self.labels)
        right = int((self.predicted == self.labels).sum())
        about: dict[str, Any] = {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "n": n,
            "top1": self.top1,
            "top1_interval": list(metrics.interval(right, n)),
            "top5": None,
            "top5_interval": None,
        }
        if n and self.scores.shape[1] >= metrics.CLASSES_FOR_TOP5:
            about["top5"] = metrics.top_k(self.scores, self.labels, 5)
            about["top5_interval"] = list(metrics.interval(round(about["top5"] * n), n))
        return {
            **about,
            **(self._figures() if n else {}),
            "temperature": self.temperature,
            "calibration": self._calibrated(),
            "tta": self.tta,
            "failed": [{"path": path, "error": error} for path, error in self.failed],
            "device": self.device,
            "engine": self.engine,
            "seconds": round(self.seconds, 2),
        }

    def store_temperature(self) -> float:
        """Write the fitted temperature, times the one that is there, into the network's file; every command uses it.

        Returns:
            the temperature that is stored.

        Raises:
            UsageError: none was fitted, the network is not in a file, or it gives no probabilities.
            UnavailableError: the file cannot be written.
        """
        fitted = self.calibration
        if fitted is None or fitted.temperature is None:
            problem = fitted.problem if fitted else None
            raise UsageError(problem or "No temperature was fitted; --calibrate-on says on which images it is.")
        if self.file is None or self.scored.logits:
            why = "is not in a .keras file" if self.file is None else "gives logits: end it in a softmax"
            raise UsageError(f"{self.model} keeps no temperature, because it {why}.")
        value = round(self.temperature * fitted.temperature, 4)
        keras_file.store_temperature(self.file, value)
        return value

    def _figures(self) -> dict[str, Any]:
        """What there is of at least one image."""
        rows = metrics.per_class(self.confusion)
        names = [self.names[index] for index in self.present]
        confused = metrics.most_confused(self.confusion, names, LISTED)
        # A class that the dataset does not have is predicted by mistake; it has no recall, and no say in the means.
        recalls, f1s = ([row[key] for row in rows if row["support"]] for key in ("recall", "f1"))
        return {
            "balanced_accuracy": float(np.mean(recalls)),
            "macro_f1": float(np.mean(f1s)),
            "loss": metrics.cross_entropy(self.scores, self.labels),
            "ece": metrics.calibration_error(self.scores, self.labels),
            "per_class": [
                {"name": name, "index": int(index), **row}
                for name, index, row in zip(names, self.present, rows, strict=True)
            ],
            "most_confused": [{"truth": truth, "predicted": guess, "count": count} for truth, guess, count in confused],
            "mistakes": [self.row(index) for index in self.mistakes(LISTED)],
        }

    def row(self, index: int) -> dict[str, Any]:
        """One image: its path, true and predicted class, the probability of the latter, and the true one's rank."""
        scores, label = self.scores[index], int(self.labels[index])
        # Of equal scores the class with the lower index comes first, as in argmax.
        rank = int((scores > scores[label]).sum() + (scores[:label] == scores[label]).sum()) + 1
        return {
            "path": self.scored.sources[index].path,
            "truth": self.names[label],
            "predicted": self.names[self.predicted[index]],
            "score": round(float(scores.max()), DECIMALS),
            "rank": rank,
        }

    def _calibrated(self) -> dict[str, Any] | None:
        """The fitted temperature, and what it makes of the judged images."""
        fitted = self.calibration
        if fitted is None:
            return None
        about = {"on": fitted.on, "n": len(fitted.scored.labels), "temperature": fitted.temperature}
        if fitted.temperature is None or not len(self.labels):
            return about
        scores = apply_temperature(self.scores, fitted.temperature)
        loss, ece = metrics.cross_entropy(scores, self.labels), metrics.calibration_error(scores, self.labels)
        return {**about, "loss": loss, "ece": ece}
