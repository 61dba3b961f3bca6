"""The argument of every metric: class scores of images with their true classes, checked once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from zoo.core.errors import UsageError


class Predictions:
    """Scores and true classes of at least one image.

    Attributes:
        scores: class probabilities, float (n, c).
        labels: true classes from 0 to c - 1, int64 (n,).
    """

    def __init__(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Check that scores and labels belong together.

        Raises:
            UsageError: there are no images, the shapes differ, a label is out of range, or a score is not finite:
                every comparison with it would be false without an error.
        """
        self.scores = np.asarray(scores)
        if self.scores.ndim != 2 or 0 in self.scores.shape:
            raise UsageError(f"Expected scores of shape (images, classes), at least (1, 1). Received: {scores.shape}")
        self.labels = class_indices(labels, self.scores.shape[1])
        if len(self.labels) != len(self.scores):
            raise UsageError(f"There are scores for {len(self.scores)} images and {len(self.labels)} labels.")
        broken = np.flatnonzero(~np.isfinite(self.scores).all(axis=1))
        if broken.size:
            raise UsageError(
                f"The model's scores are not finite for {broken.size} of {len(self.scores)} images (the first is "
                f"number {broken[0] + 1}); its weights are broken, so train it again at a lower learning rate."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class with the highest score of each image, int64 (n,)."""
        best: np.ndarray = self.scores.argmax(axis=1)
        return best


def class_indices(values: np.ndarray, classes: int) -> np.ndarray:
    """Class indices as int64 (n,).

    Raises:
        UsageError: they are not integers in one dimension, or not from 0 to ``classes`` - 1.
    """
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise UsageError(f"Expected class indices, integers (n,). Received: {values.dtype} of shape {values.shape}")
    if values.size and not (values.min() >= 0 and values.max() < classes):
        found = f"{values.min()} to {values.max()}"
        raise UsageError(f"Expected class indices from 0 to {classes - 1}. Received: {found}")
    return values.astype(np.int64)
