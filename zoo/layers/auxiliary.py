"""Losses beside that of the labels, which a network brings along while it is trained."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ReconstructionLoss(keras.layers.Layer):  # type: ignore[misc]
    """Adds how far an image drawn by the network is from its input to the loss, and passes something else on.

    The added loss is ``weight`` times the sum of squared differences, as a mean over the batch, and only in training.

    Input: a list of what is passed on, the image drawn, and the image meant; the last two have the same shape,
    the batch first. Output: the first of them, unchanged, so that the layer can stand on the way to an output.

    Args:
        weight: of the sum of squares.
        **kwargs: of :class:`keras.layers.Layer`.
    """

    def __init__(self, weight: float = 0.0005, **kwargs: Any) -> None:
        """Keep the weight."""
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        """Add the loss of one batch."""
        passed_on, drawn, meant = inputs
        if training:
            squares = ops.square(ops.subtract(ops.cast(drawn, "float32"), ops.cast(meant, "float32")))
            self.add_loss(self.weight * ops.mean(ops.sum(squares, axis=range(1, len(squares.shape)))))
        return passed_on

    def compute_output_shape(self, input_shape: list[Any]) -> Any:
        """Shape of what is passed on."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        return {**super().get_config(), "weight": self.weight}
