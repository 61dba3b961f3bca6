"""Precision, recall and F1 of each class, and their means over classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from zoo.evaluation.metrics.predictions import Predictions


def per_class(predictions: Predictions) -> list[dict[str, Any]]:
    """``precision``, ``recall`` and ``f1``, 0-1 or ``None``, and ``support``, the images, of each of the c classes.

    ``None`` where nothing was counted: the recall of a class without images, the precision of a class that was never
    predicted, the F1 of a class that is neither true nor predicted. A class with images that is never predicted has
    an F1 of 0.
    """
    labels, predicted = predictions.labels, predictions.predicted
    right, support, guesses = (
        np.bincount(classes, minlength=predictions.scores.shape[1]).tolist()
        for classes in (labels[labels == predicted], labels, predicted)
    )
    return [
        {
            "precision": hits / guessed if guessed else None,
            "recall": hits / images if images else None,
            "f1": 2 * hits / (guessed + images) if guessed + images else None,
            "support": images,
        }
        for hits, images, guessed in zip(right, support, guesses, strict=True)
    ]


def balanced_accuracy(predictions: Predictions) -> float:
    """The mean recall of the classes that have images, 0-1."""
    return _mean(predictions, "recall")


def macro_f1(predictions: Predictions) -> float:
    """The mean F1 of the classes that occur in the labels or in the predictions, 0-1.

    This is the default of scikit-learn's ``f1_score(average="macro")``: a class that is only predicted, by mistake,
    counts with an F1 of 0.
    """
    return _mean(predictions, "f1")


def _mean(predictions: Predictions, key: str) -> float:
    values = [row[key] for row in per_class(predictions) if row[key] is not None]
    return math.fsum(values) / len(values)
