"""The table of all reported metrics, which ``zoo evaluate``, ``metrics.json`` and the report of a run are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.core.errors import UsageError
from zoo.evaluation.metrics.calibration_error import expected_calibration_error, mean_confidence
from zoo.evaluation.metrics.confusion import confusion_matrix, most_confused
from zoo.evaluation.metrics.cross_entropy import cross_entropy
from zoo.evaluation.metrics.precision_recall import balanced_accuracy, macro_f1, per_class
from zoo.evaluation.metrics.predictions import Predictions
from zoo.evaluation.metrics.top_k import top_k
from zoo.evaluation.metrics.wilson import wilson_interval

#: Top-5 accuracy takes at least this many classes.
CLASSES_FOR_TOP5 = 6


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the table."""

    #: In JSON and CSV.
    key: str
    #: For people.
    title: str
    #: ``None`` if it does not apply.
    function: Callable[[Predictions], float | None]
    #: People read it in per cent.
    percent: bool = True
    #: It is a share of the images, so ``<key>_interval`` has its 95 % interval.
    interval: bool = False

    def written(self, value: float) -> str:
        """A value for people."""
        return f"{value:.2%}" if self.percent else f"{value:.3f}"


def _top5(predictions: Predictions) -> float | None:
    return top_k(predictions, 5) if predictions.scores.shape[1] >= CLASSES_FOR_TOP5 else None


METRICS = (
    Metric("top1", "top-1", lambda predictions: top_k(predictions, 1), interval=True),
    Metric("top5", "top-5", _top5, interval=True),
    Metric("balanced_accuracy", "balanced accuracy", balanced_accuracy),
    Metric("macro_f1", "macro F1", macro_f1, percent=False),
    Metric("loss", "loss", cross_entropy, percent=False),
    Metric("confidence", "mean confidence", mean_confidence),
    Metric("ece", "calibration error", expected_calibration_error),
)


def compute(predictions: Predictions | None) -> dict[str, Any]:
    """Every metric by its key, with the intervals as ``<key>_interval``.

    Without images (``None``) all are ``None``, and the intervals are (0, 1).
    """
    n = 0 if predictions is None else len(predictions)
    found: dict[str, Any] = {}
    for metric in METRICS:
        value = found[metric.key] = None if predictions is None else metric.function(predictions)
        if metric.interval:
            known = value is not None or not n
            found[f"{metric.key}_interval"] = list(wilson_interval(round((value or 0) * n), n)) if known else None
    return found


def summary(scores: Any, labels: Any, names: Sequence[str]) -> dict[str, Any]:
    """All metrics of one set of images, as plain values for JSON.

    Args:
        scores: class probabilities, float (n, c).
        labels: true classes, integers (n,).
        names: of the c classes.

    Returns:
        ``n``; the metrics of :data:`METRICS` with their intervals; ``per_class``, a mapping for each class with its
        ``name``, ``precision``, ``recall``, ``f1`` and ``support``; ``most_confused``, mappings of ``truth``,
        ``predicted`` and ``count``.

    Raises:
        UsageError: there are no images, or scores, labels and names do not belong together.
    """
    predictions = Predictions(scores, labels)
    classes = predictions.scores.shape[1]
    if len(names) != classes:
        raise UsageError(f"There are {classes} scores for each image and {len(names)} names of classes.")
    matrix = confusion_matrix(predictions.predicted, predictions.labels, classes)
    return {
        "n": len(predictions),
        **compute(predictions),
        "per_class": [{"name": str(name), **row} for name, row in zip(names, per_class(predictions), strict=True)],
        "most_confused": [
            {"truth": truth, "predicted": predicted, "count": count}
            for truth, predicted, count in most_confused(matrix, names)
        ],
    }
