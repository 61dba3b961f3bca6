"""Abstention: a confidence threshold below which a model gives no answer, for a wanted precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.inference.temperature import DECIMALS


@dataclass(frozen=True, slots=True)
class Abstention:
    """The effect of a threshold: of ``n`` images ``answered`` are answered, ``right`` of them correctly."""

    threshold: float
    n: int
    answered: int
    right: int

    @property
    def coverage(self) -> float | None:
        """The share of the images that are answered; ``None`` if there are no images."""
        return self.answered / self.n if self.n else None

    @property
    def precision(self) -> float | None:
        """The share of the answers that are right; ``None`` if there are no answers."""
        return self.right / self.answered if self.answered else None


def find_threshold(scores: np.ndarray, labels: np.ndarray, precision: float) -> Abstention | None:
    """The lowest threshold with which at least ``precision`` of the answers are right.

    Args:
        scores: class probabilities, float (n, c).
        labels: true classes, integers (n,).
        precision: the wanted share of right answers, above 0 and up to 1.

    Returns:
        ``None`` if no threshold reaches it, or there are no images.

    Raises:
        UsageError: ``precision`` is out of range.
    """
    if not 0 < precision <= 1:
        raise UsageError(f"Expected a precision above 0 and at most 1. Received: {precision:g}")
    confidence = _confidence(scores)
    order = np.argsort(-confidence, kind="stable")
    right = (scores.argmax(axis=1) == labels)[order].cumsum()
    answered = np.arange(1, len(order) + 1)
    # No threshold separates two images of equal confidence.
    apart = np.append(confidence[order][1:] < confidence[order][:-1], True)[: len(order)]
    good = np.flatnonzero(apart & (right >= precision * answered - 1e-9))
    if not good.size:
        return None
    last = int(good[-1])
    return Abstention(float(confidence[order][last]), len(order), last + 1, int(right[last]))


def apply_threshold(scores: np.ndarray, labels: np.ndarray, threshold: float) -> Abstention:
    """The effect of a given threshold; arguments as for :func:`find_threshold`."""
    answered = _confidence(scores) >= threshold
    right = (scores.argmax(axis=1) == labels) & answered
    return Abstention(threshold, len(scores), int(answered.sum()), int(right.sum()))


def _confidence(scores: np.ndarray) -> np.ndarray:
    """The highest probability of each image, float64 (n,), rounded as it is printed and compared."""
    confidence: np.ndarray = scores.max(axis=1).astype(np.float64)
    return confidence.round(DECIMALS)
