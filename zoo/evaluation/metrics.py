"""How good class scores are: accuracies with their interval, losses, calibration and confusion, in NumPy alone.

Throughout, ``scores`` are class probabilities, float (n, c), and ``labels`` the true classes, integers (n,) from 0 to
c - 1. Scores that are not finite are refused, because every comparison with them would come out in silence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from zoo.core.errors import UsageError

#: No probability counts as less than this in a logarithm, as in Keras's losses.
EPSILON = 1e-7
#: From how many classes on the five best are asked for.
CLASSES_FOR_TOP5 = 6


def summary(scores: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Everything about one set of images, as plain values for JSON.

    Args:
        scores: class probabilities, float (n, c).
        labels: true classes, integers (n,).
        names: what the c classes are called.

    Returns:
        ``n``; ``top1`` and, with more than five classes, ``top5``, from 0 to 1; ``top1_interval``, the low and the high
        end of the 95 % interval; ``loss``, the cross-entropy; ``ece``, the calibration error; ``balanced_accuracy`` and
        ``macro_f1``, the means of recall and F1 over the classes that have them; ``per_class``, a mapping for each
        class with its ``name`` and what :func:`per_class` says; ``most_confused``, mappings of ``truth``,
        ``predicted`` and ``count``.

    Raises:
        UsageError: there are no images, or scores, labels and names do not belong together.
    """
    scores, labels = _checked(scores, labels)
    n, classes = scores.shape
    if len(names) != classes:
        raise UsageError(f"There are {classes} scores for each image and {len(names)} names of classes.")
    matrix = confusion(scores.argmax(axis=1), labels, classes)
    classwise = per_class(matrix)
    right = int(np.trace(matrix))
    top5 = {"top5": top_k(scores, labels, 5)} if classes >= CLASSES_FOR_TOP5 else {}
    return {
        "n": n,
        "top1": right / n,
        **top5,
        "top1_interval": list(interval(right, n)),
        "loss": cross_entropy(scores, labels),
        "ece": calibration_error(scores, labels),
        "balanced_accuracy": _mean(row["recall"] for row in classwise),
        "macro_f1": _mean(row["f1"] for row in classwise),
        "per_class": [{"name": str(name), **row} for name, row in zip(names, classwise, strict=True)],
        "most_confused": [
            {"truth": truth, "predicted": predicted, "count": count}
            for truth, predicted, count in most_confused(matrix, names)
        ],
    }


def top_k(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    """The share of images whose true class is among the k with the highest scores, from 0 to 1.

    Of classes with equal scores the one with the lower index comes first, as in ``argmax``.

    Raises:
        UsageError: there are no images, k is less than 1, or scores and labels do not belong together.
    """
    scores, labels = _checked(scores, labels)
    if k < 1:
        raise UsageError(f"The {k} best of the scores were asked for; it takes at least 1.")
    true = np.take_along_axis(scores, labels[:, None], axis=1)
    earlier = np.arange(scores.shape[1])[None, :] < labels[:, None]
    rank = ((scores > true) | ((scores == true) & earlier)).sum(axis=1)
    return float((rank < k).mean())


def interval(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Between which accuracies the true one lies, after ``right`` of ``n`` images; (0, 1) where n is 0.

    The score interval of Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It
    stays within 0 and 1, and holds for few images and for accuracies close to 1, where the plain ± does not.

    Args:
        right: how many were right, from 0 to n.
        n: of how many.
        level: how sure the interval is, between 0 and 1.

    Raises:
        UsageError: the numbers make no sense.
    """
    if not 0 <= right <= n or not 0 < level < 1:
        raise UsageError(f"{right} right of {n} at the level {level} have no interval.")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / n
    centre = share + z * z / (2 * n)
    margin = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and at n the ends are exact, which rounding would miss by a hair.
    low = 0.0 if right == 0 else max(0.0, (centre - margin) / scale)
    high = 1.0 if right == n else min(1.0, (centre + margin) / scale)
    return low, high


def mcnemar(only_one: int, only_other: int) -> float:
    """How likely two equally good classifiers differ as much as these two do on the same images.

    The exact form of McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", 1947: of the images that just one of them has right, either has each with probability 1/2.

    Args:
        only_one: images that the one has right and the other wrong.
        only_other: images that the other has right and the one wrong.

    Returns:
        the two-sided p-value, from 0 to 1; 1 where they never differ.

    Raises:
        UsageError: a count is negative.
    """
    if min(only_one, only_other) < 0:
        raise UsageError(f"Images are counted from 0. Received: {only_one} and {only_other}")
    n = only_one + only_other
    total, ways = 0, 1
    for k in range(min(only_one, only_other) + 1):
        total += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * total / (1 << n))


def confusion(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Count each pair of a true and a predicted class.

    Args:
        predicted: predicted classes, integers (n,) from 0 to ``classes`` - 1; n may be 0.
        labels: true classes, likewise.
        classes: how many classes there are.

    Returns:
        int64 (classes, classes), the true class down and the predicted one across.

    Raises:
        UsageError: the arrays differ in length, or hold what is no class.
    """
    predicted, labels = _classes(predicted, classes), _classes(labels, classes)
    if len(predicted) != len(labels):
        raise UsageError(f"There are {len(predicted)} predictions and {len(labels)} labels.")
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def per_class(matrix: np.ndarray) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class, in order.

    What nothing was counted for is ``None``, never NaN, and never a 0 that would look like a failure: the recall of a
    class without an image, the precision of a class that was never predicted, the F1 of a class that is neither. A
    class that has images and is never predicted has an F1 of 0.

    Args:
        matrix: counts (c, c) as :func:`confusion` makes them.

    Returns:
        For each class ``precision``, ``recall`` and ``f1``, from 0 to 1 or ``None``, and ``support``, its images.
    """
    right, support, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        {
            "precision": _ratio(hits, guesses),
            "recall": _ratio(hits, images),
            "f1": _ratio(2 * hits, guesses + images),
            "support": int(images),
        }
        for hits, images, guesses in zip(right, support, predicted, strict=True)
    ]


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> float:
    """The mean of -log of the true class's probability, in nats; at most 16.1 for one image, as in Keras.

    Raises:
        UsageError: there are no images, or scores and labels do not belong together.
    """
    scores, labels = _checked(scores, labels)
    true = np.take_along_axis(scores, labels[:, None], axis=1).astype(np.float64)
    # Rounding may carry a probability over 1. Adding 0 turns the -0 of a perfect network into 0.
    return float(-np.log(np.clip(true, EPSILON, 1.0)).mean()) + 0.0


def calibration_error(scores: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """How far, on average, the probability of the predicted class is from how often it is right, from 0 to 1.

    The expected calibration error of Guo et al., "On calibration of modern neural networks", 2017: over ``bins`` equal
    parts of (0, 1], the mean of the gap between accuracy and confidence, weighted by the images in each.

    Raises:
        UsageError: there are no images, ``bins`` is less than 1, or scores and labels do not belong together.
    """
    scores, labels = _checked(scores, labels)
    if bins < 1:
        raise UsageError(f"A calibration error over {bins} bins was asked for; it takes at least 1.")
    confidence = scores.max(axis=1).astype(np.float64)
    right = (scores.argmax(axis=1) == labels).astype(np.float64)
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def most_confused(matrix: np.ndarray, names: Sequence[str], limit: int = 10) -> list[tuple[str, str, int]]:
    """The mistakes made most often: (true class, predicted class, count), the most frequent first.

    Mistakes that are equally frequent stand in the order of the true, then of the predicted class.
    """
    mistakes = np.array(matrix)
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:limit]
    pairs = (divmod(int(place), len(mistakes)) for place in order)
    return [(str(names[t]), str(names[p]), int(mistakes[t, p])) for t, p in pairs if mistakes[t, p]]


def _checked(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays that fit each other."""
    scores = np.asarray(scores)
    if scores.ndim != 2 or 0 in scores.shape:
        raise UsageError(f"Scores of the shape {scores.shape} cannot be judged; it takes (images, classes).")
    labels = _classes(labels, scores.shape[1])
    if len(labels) != len(scores):
        raise UsageError(f"There are scores for {len(scores)} images and {len(labels)} labels.")
    broken = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if broken.size:
        raise UsageError(
            f"The network's scores for {broken.size} of {len(scores)} images (the first is number {broken[0] + 1}) "
            "are no numbers; its weights are broken, so train it again at a lower learning rate."
        )
    return scores, labels


def _classes(values: np.ndarray, classes: int) -> np.ndarray:
    """The indices of classes as an int64 array, all of them in range."""
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise UsageError(f"Classes are whole numbers in one line, not {values.dtype} of the shape {values.shape}.")
    if values.size and not (values.min() >= 0 and values.max() < classes):
        found = f"{values.min()} to {values.max()}"
        raise UsageError(f"There are {classes} classes, from 0 to {classes - 1}, and indices from {found}.")
    return values.astype(np.int64)


def _ratio(part: np.integer[Any], whole: np.integer[Any]) -> float | None:
    return float(part / whole) if whole else None


def _mean(values: Any) -> float | None:
    """The mean of those that are there."""
    there = [value for value in values if value is not None]
    return math.fsum(there) / len(there) if there else None
