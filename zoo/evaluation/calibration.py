"""Whether a network's probabilities mean what they say, and what makes them do so: in NumPy alone.

Throughout, ``scores`` are class probabilities, float (n, c), and ``labels`` the true classes, integers (n,) from 0 to
c - 1. What is fitted here is fitted on other images than those that are judged with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.evaluation import metrics
from zoo.inference.temperature import DECIMALS, logits_of

#: Between these a temperature is looked for; what lies on an edge was not found.
COLDEST, HOTTEST = 0.05, 20.0
#: The logarithm of the temperature is found to this.
_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Bin:
    """The images whose best probability lies in ``(low, high]``; the means are ``None`` where there are none."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Abstention:
    """What comes of giving no answer where the best probability is below a threshold.

    Of ``n`` images ``answered`` are answered, and ``right`` of these are answered right.
    """

    threshold: float
    n: int
    answered: int
    right: int

    @property
    def coverage(self) -> float | None:
        """The share of the images that are answered; ``None`` where there are none."""
        return self.answered / self.n if self.n else None

    @property
    def precision(self) -> float | None:
        """The share of the answers that are right; ``None`` where there are none."""
        return self.right / self.answered if self.answered else None


def reliability(scores: np.ndarray, labels: np.ndarray, bins: int = 15) -> list[Bin]:
    """How often the best class is right, in equal parts of (0, 1] of its probability.

    Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning", 2005. The mean of the gaps
    between accuracy and confidence, weighted by the counts, is :func:`zoo.evaluation.metrics.calibration_error`.

    Raises:
        UsageError: ``bins`` is less than 1.
    """
    if bins < 1:
        raise UsageError(f"A reliability diagram of {bins} bins was asked for; it takes at least 1.")
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for index in range(bins):
        members = place == index
        count = int(members.sum())
        means = (float(confidence[members].mean()), float(right[members].mean())) if count else (None, None)
        found.append(Bin(index / bins, (index + 1) / bins, count, *means))
    return found


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with which the true classes are most probable.

    Guo et al., "On calibration of modern neural networks", 2017: the one that makes the cross-entropy least. As a
    function of the inverse of the temperature that is convex, so that a golden-section search finds it.

    Returns:
        a number from :data:`COLDEST` to :data:`HOTTEST`, to four decimals.

    Raises:
        UsageError: there are no images, scores and labels do not belong together, or no temperature is best, which
            is so where all images are right, or the scores say nothing.
    """
    logits = logits_of(scores)
    # Refuses what cannot be judged, in the words of all metrics.
    metrics.cross_entropy(scores, labels)
    true = np.take_along_axis(logits, np.asarray(labels)[:, None], axis=1)
    # Of the true class's distance to each other one all that matters; 0 for itself.
    gaps = logits - true

    def loss(log_temperature: float) -> float:
        scaled = gaps / np.exp(log_temperature)
        highest = scaled.max(axis=1, keepdims=True)
        return float((highest[:, 0] + np.log(np.exp(scaled - highest).sum(axis=1))).mean())

    low, high = np.log(COLDEST), np.log(HOTTEST)
    best = _golden(loss, low, high)
    if min(best - low, high - best) < 10 * _TOLERANCE:
        why = "all of them are right" if best - low < high - best else "they are no better than chance"
        raise UsageError(
            f"No temperature can be fitted on these {len(scores)} images, because {why}; take more or harder ones."
        )
    return round(float(np.exp(best)), 4)


def abstain(scores: np.ndarray, labels: np.ndarray, precision: float) -> Abstention | None:
    """The threshold with which the most images are answered while ``precision`` of the answers are right.

    Args:
        scores: as above.
        labels: as above.
        precision: the share of right answers asked for, above 0 and up to 1.

    Returns:
        ``None`` where no threshold reaches it, or there are no images.

    Raises:
        UsageError: ``precision`` is no such share.
    """
    if not 0 < precision <= 1:
        raise UsageError(f"A precision is above 0 and at most 1. Received: {precision:g}")
    confidence = _confidence(scores)
    order = np.argsort(-confidence, kind="stable")
    right = (scores.argmax(axis=1) == labels)[order].cumsum()
    answered = np.arange(1, len(order) + 1)
    # Between two images that are equally sure no threshold can be.
    apart = np.append(confidence[order][1:] < confidence[order][:-1], True)[: len(order)]
    good = np.flatnonzero(apart & (right >= precision * answered - 1e-9))
    if not good.size:
        return None
    last = int(good[-1])
    return Abstention(float(confidence[order][last]), len(order), last + 1, int(right[last]))


def apply_threshold(scores: np.ndarray, labels: np.ndarray, threshold: float) -> Abstention:
    """What a threshold that was found on other images does to these."""
    answered = _confidence(scores) >= threshold
    right = (scores.argmax(axis=1) == labels) & answered
    return Abstention(threshold, len(scores), int(answered.sum()), int(right.sum()))


def _confidence(scores: np.ndarray) -> np.ndarray:
    """The best probability of each image, float64 (n,), rounded as it is shown and compared."""
    confidence: np.ndarray = scores.max(axis=1).astype(np.float64)
    return confidence.round(DECIMALS)


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley between ``low`` and ``high`` is least (Kiefer, 1953)."""
    ratio = (np.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > _TOLERANCE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return float(low + high) / 2
