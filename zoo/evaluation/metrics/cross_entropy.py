"""Cross-entropy loss."""

from __future__ import annotations

import numpy as np

from zoo.evaluation.metrics.predictions import Predictions

#: Probabilities below this count as this much, as in Keras's losses.
EPSILON = 1e-7


def cross_entropy(predictions: Predictions) -> float:
    """The mean of -log of the true class's probability, in nats; at most 16.1 for one image, as in Keras."""
    true = np.take_along_axis(predictions.scores, predictions.labels[:, None], axis=1).astype(np.float64)
    # Rounding may carry a probability over 1. Adding 0 turns the -0 of perfect scores into 0.
    return float(-np.log(np.clip(true, EPSILON, 1.0)).mean()) + 0.0
