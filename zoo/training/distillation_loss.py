"""The loss of knowledge distillation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class DistillationLoss(keras.losses.Loss):  # type: ignore[misc]
    """The loss of the labels, and the divergence of the student's softened probabilities from the teacher's.

    ``(1 - alpha) loss(labels) + alpha T² KL(teacher || student)`` with both at the temperature T, Hinton, Vinyals and
    Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531. T² keeps the size of the gradients
    independent of the temperature.
    """

    def __init__(
        self, labels: keras.losses.Loss, alpha: float, temperature: float, name: str = "distillation", **kwargs: Any
    ) -> None:
        """``alpha``, 0 to 1, is the weight of the teacher."""
        super().__init__(name=name, **kwargs)
        self.labels, self.alpha, self.temperature = labels, alpha, temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each image; ``y_true``, (batch, 2 classes), is labels, then the teacher's probabilities."""
        classes = y_pred.shape[-1]
        teacher, student = (_log_softened(p, self.temperature) for p in (y_true[:, classes:], y_pred))
        divergence = ops.sum(ops.exp(teacher) * (teacher - student), axis=-1)
        labels = self.labels.call(y_true[:, :classes], y_pred)
        return (1.0 - self.alpha) * labels + self.alpha * self.temperature**2 * divergence


def _log_softened(probabilities: Any, temperature: float) -> Any:
    """Logarithms of probabilities (batch, classes) at a temperature: softmax of their logarithms over it."""
    return ops.log_softmax(ops.log(ops.clip(probabilities, 1e-7, 1.0)) / temperature, axis=-1)
