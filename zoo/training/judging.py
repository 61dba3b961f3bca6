"""What a network says to pictures, batch by batch: for the judgement of every epoch, and for the one at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from zoo.spec import Preprocessing

#: uint8 pictures (b, height, width, 3) and float32 shares of the classes (b, classes).
Batches = Iterable[tuple[np.ndarray, np.ndarray]]


def scores(network: Any, batches: Batches) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a network that classifies, float32 (n, classes), and the true classes, int64 (n,)."""
    outputs, labels = [], []
    for x, y in batches:
        outputs.append(np.asarray(network.predict_on_batch(x), "float32"))
        labels.append(y.argmax(1))
    return np.concatenate(outputs), np.concatenate(labels)


def squared_error(network: Any, batches: Batches, preprocessing: Preprocessing) -> float:
    """Mean squared error of a network that draws its input, as ``preprocessing`` leaves it, again."""
    total, count = 0.0, 0
    for x, _ in batches:
        error = np.asarray(network.predict_on_batch(x), "float32") - preprocessing.apply(x)
        total += float(np.square(error).mean(axis=(1, 2, 3)).sum())
        count += len(x)
    return total / count
