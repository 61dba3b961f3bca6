"""Temperature scaling: fitting the temperature with which a model's probabilities match its accuracy."""

from __future__ import annotations

import numpy as np

from zoo.core.errors import UsageError
from zoo.evaluation.metrics import Predictions
from zoo.inference.temperature import logits_of

#: The range in which a temperature is searched; a result at an end of it is none.
COLDEST, HOTTEST = 0.05, 20.0
#: The logarithm of the temperature is found to this.
_TOLERANCE = 1e-6


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the least cross-entropy.

    Guo et al., "On calibration of modern neural networks", 2017.

    Args:
        scores: class probabilities, float (n, c), of images that are not those to evaluate on.
        labels: their true classes, integers (n,).

    Returns:
        a number from :data:`COLDEST` to :data:`HOTTEST`, to four decimals.

    Raises:
        UsageError: there are no images, scores and labels do not belong together, or the loss has no minimum, because
            all images are right, or the scores are no better than chance.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    labels = Predictions(scores, labels).labels
    logits = logits_of(scores)
    gaps = logits - np.take_along_axis(logits, labels[:, None], axis=1)

    def loss(log_temperature: float) -> float:
        return float(logsumexp(gaps / np.exp(log_temperature), axis=1).mean())

    low, high = np.log(COLDEST), np.log(HOTTEST)
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": _TOLERANCE}).x
    if min(best - low, high - best) < 100 * _TOLERANCE:
        why = "all of them are right" if best - low < high - best else "they are no better than chance"
        raise UsageError(
            f"No temperature can be fitted on these {len(scores)} images, because {why}; take more or harder ones."
        )
    return round(float(np.exp(best)), 4)
