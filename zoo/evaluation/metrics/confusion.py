"""The confusion matrix, and the classes that are confused most often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.core.errors import UsageError
from zoo.evaluation.metrics.predictions import class_indices


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Counts of each pair of classes, int64 (classes, classes): true classes in rows, predicted ones in columns.

    Args:
        predicted: predicted classes, integers (n,) from 0 to ``classes`` - 1; n may be 0.
        labels: true classes, likewise.
        classes: the number of classes.

    Raises:
        UsageError: the lengths differ, or an index is out of range.
    """
    predicted, labels = class_indices(predicted, classes), class_indices(labels, classes)
    if len(predicted) != len(labels):
        raise UsageError(f"There are {len(predicted)} predictions and {len(labels)} labels.")
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def most_confused(matrix: np.ndarray, names: Sequence[str], limit: int = 10) -> list[tuple[str, str, int]]:
    """The most frequent mistakes: (true class, predicted class, count), in descending order, at most ``limit``.

    Equally frequent ones are in the order of the true, then of the predicted class.
    """
    mistakes = np.array(matrix)
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:limit]
    pairs = (divmod(int(place), len(mistakes)) for place in order)
    return [(str(names[t]), str(names[p]), int(mistakes[t, p])) for t, p in pairs if mistakes[t, p]]
