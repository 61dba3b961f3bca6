"""Top-k accuracy, by the rank of the true class."""

from __future__ import annotations

import numpy as np

from zoo.core.errors import UsageError
from zoo.evaluation.metrics.predictions import Predictions


def true_class_ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The rank of each image's true class among its scores, from 1: int64 (n,).

    Of classes with equal scores the one with the lower index comes first, as in ``argmax``.

    Args:
        scores: float (n, c).
        labels: true classes, integers (n,).
    """
    true = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1])[None, :] < labels[:, None]
    ranks: np.ndarray = 1 + ((scores > true) | ((scores == true) & earlier)).sum(axis=1)
    return ranks


def share_in_top(ranks: np.ndarray, k: int) -> float | None:
    """The share of ranks up to ``k``, 0-1; ``None`` if there are none."""
    return float((ranks <= k).mean()) if len(ranks) else None


def top_k(predictions: Predictions, k: int) -> float | None:
    """The share of images whose true class is among the k highest scores, 0-1.

    Raises:
        UsageError: k is less than 1.
    """
    if k < 1:
        raise UsageError(f"Expected k of at least 1 for top-k accuracy. Received: {k}")
    if k == 1:
        return float((predictions.predicted == predictions.labels).mean())
    return share_in_top(true_class_ranks(predictions.scores, predictions.labels), k)
