"""Metrics of a classifier, in NumPy alone: one file per idea, and one table of all that are reported.

- :mod:`~zoo.evaluation.metrics.predictions`: scores and labels, checked once; the argument of every metric.
- :mod:`~zoo.evaluation.metrics.top_k`: top-k accuracy and the rank of the true class.
- :mod:`~zoo.evaluation.metrics.precision_recall`: per class, and their means: balanced accuracy, macro F1.
- :mod:`~zoo.evaluation.metrics.confusion`: the confusion matrix and the classes confused most often.
- :mod:`~zoo.evaluation.metrics.cross_entropy`, :mod:`~zoo.evaluation.metrics.calibration_error`.
- :mod:`~zoo.evaluation.metrics.wilson` and :mod:`~zoo.evaluation.metrics.mcnemar`: how certain an accuracy, and the
  difference of two accuracies, is.
- :mod:`~zoo.evaluation.metrics.table`: :data:`METRICS`. A new metric is a file here and a row there.
"""

from zoo.evaluation.metrics.calibration_error import expected_calibration_error, mean_confidence, reliability
from zoo.evaluation.metrics.confusion import confusion_matrix, most_confused
from zoo.evaluation.metrics.cross_entropy import cross_entropy
from zoo.evaluation.metrics.mcnemar import mcnemar
from zoo.evaluation.metrics.precision_recall import balanced_accuracy, macro_f1, per_class
from zoo.evaluation.metrics.predictions import Predictions
from zoo.evaluation.metrics.table import CLASSES_FOR_TOP5, METRICS, Metric, compute, summary
from zoo.evaluation.metrics.top_k import share_in_top, top_k, true_class_ranks
from zoo.evaluation.metrics.wilson import wilson_interval

__all__ = [
    "CLASSES_FOR_TOP5",
    "METRICS",
    "Metric",
    "Predictions",
    "balanced_accuracy",
    "compute",
    "confusion_matrix",
    "cross_entropy",
    "expected_calibration_error",
    "macro_f1",
    "mcnemar",
    "mean_confidence",
    "most_confused",
    "per_class",
    "reliability",
    "share_in_top",
    "summary",
    "top_k",
    "true_class_ranks",
    "wilson_interval",
]
