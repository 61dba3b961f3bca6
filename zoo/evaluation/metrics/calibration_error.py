"""Confidence against accuracy: its mean, the bins of a reliability diagram, the expected calibration error."""

from __future__ import annotations

import numpy as np

from zoo.core.errors import UsageError
from zoo.evaluation.metrics.predictions import Predictions
from zoo.evaluation.metrics.wilson import wilson_interval
from zoo.reports.plots.reliability_diagram import Bin


def reliability(scores: np.ndarray, labels: np.ndarray, bins: int = 15) -> list[Bin]:
    """Mean confidence (the highest probability) and accuracy in equal intervals of confidence.

    Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", 2005.

    Args:
        scores: class probabilities, float (n, c); n may be 0.
        labels: true classes, integers (n,).
        bins: intervals that (0, 1] is divided into; each includes its upper end.

    Raises:
        UsageError: ``bins`` is less than 1.
    """
    if bins < 1:
        raise UsageError(f"Expected at least 1 bin of confidence. Received: {bins}")
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for index in range(bins):
        members = place == index
        count, hits = int(members.sum()), int(right[members].sum())
        low, high = index / bins, (index + 1) / bins
        if count:
            means = float(confidence[members].mean()), hits / count
            found.append(Bin(low, high, count, *means, wilson_interval(hits, count)))
        else:
            found.append(Bin(low, high, 0, None, None, (0.0, 1.0)))
    return found


def expected_calibration_error(predictions: Predictions, bins: int = 15) -> float:
    """The mean gap between accuracy and confidence over ``bins`` intervals of confidence, weighted by images, 0-1.

    Guo et al., "On calibration of modern neural networks", 2017.

    Raises:
        UsageError: ``bins`` is less than 1.
    """
    found = reliability(predictions.scores, predictions.labels, bins)
    return sum(one.count * one.gap for one in found) / len(predictions)


def mean_confidence(predictions: Predictions) -> float:
    """The mean of the highest probability, 0-1; for a calibrated model it equals the accuracy."""
    return float(predictions.scores.max(axis=1).mean(dtype=np.float64))
