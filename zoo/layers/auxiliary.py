"""Auxiliary losses that a network adds to its training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ReconstructionLoss(keras.layers.Layer):  # type: ignore[misc]
    """Adds ``weight`` times the summed squared error of an autoencoder to the loss, averaged over the batch.

    Input: a list of any tensor, the reconstruction, and its target of the same shape. Output: the first tensor.
    """

    def __init__(self, weight: float = 0.0005, **kwargs: Any) -> None:
        """Store the weight."""
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Add the loss of one batch."""
        first, reconstruction, target = inputs
        if training:
            squares = ops.square(ops.subtract(ops.cast(reconstruction, "float32"), ops.cast(target, "float32")))
            self.add_loss(self.weight * ops.mean(ops.sum(squares, axis=range(1, len(squares.shape)))))
        return first

    def compute_output_shape(self, input_shape: list[Any]) -> Any:
        """Shape of the first input."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        return {**super().get_config(), "weight": self.weight}
