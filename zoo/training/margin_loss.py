"""The margin loss of capsule networks."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")  # type: ignore[untyped-decorator]
def margin_loss(
    y_true: Any, y_pred: Any, upper: float = 0.9, lower: float = 0.1, down_weight: float = 0.5
) -> Any:  # fmt: skip
    """Penalise a short capsule of a class that is present, and long capsules of the others.

    ``sum_k T_k max(0, upper - v_k)² + down_weight (1 - T_k) max(0, v_k - lower)²``, equation 4 of Sabour, Frosst and
    Hinton, Dynamic Routing Between Capsules (2017), arXiv 1710.09829.
    """
    y_true = ops.cast(y_true, y_pred.dtype)
    present = ops.multiply(y_true, ops.square(ops.relu(ops.subtract(upper, y_pred))))
    absent = ops.multiply(ops.subtract(1.0, y_true), ops.square(ops.relu(ops.subtract(y_pred, lower))))
    return ops.sum(ops.add(present, ops.multiply(absent, down_weight)), axis=-1)


@keras.saving.register_keras_serializable(package="zoo")
class MarginLoss(keras.losses.Loss):  # type: ignore[misc]
    """:func:`margin_loss` as a Keras loss, a mean over the batch."""

    def __init__(self, label_smoothing: float = 0.0, name: str = "margin_loss", **kwargs: Any) -> None:
        """Store the label smoothing."""
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Labels and capsule lengths, float (batch, classes), to the loss of each image, (batch,)."""
        if self.label_smoothing:
            y_true = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        return margin_loss(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
