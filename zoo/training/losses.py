"""Losses by the names that recipes use. A new one is a function here and a row of the table.

Nothing here imports a framework before a loss is created.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean

if TYPE_CHECKING:
    import keras


def _crossentropy(label_smoothing: float) -> keras.losses.Loss:
    import keras

    return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)


def _margin(label_smoothing: float) -> keras.losses.Loss:
    from zoo.training.margin_loss import MarginLoss

    return MarginLoss(label_smoothing)


def _mse(label_smoothing: float) -> keras.losses.Loss:
    import keras

    if label_smoothing:
        raise UsageError(f"label_smoothing is for labels, and the loss mse has none. Received: {label_smoothing}")
    return keras.losses.MeanSquaredError()


class Entry(NamedTuple):
    """A loss: what creates it from ``label_smoothing``, and whether it compares an autoencoder's output and input."""

    create: Callable[[float], keras.losses.Loss]
    autoencoder: bool = False


LOSSES = {
    # Of probabilities.
    "crossentropy": Entry(_crossentropy),
    # Of capsule lengths.
    "margin": Entry(_margin),
    # Of images.
    "mse": Entry(_mse, autoencoder=True),
}


def get(name: str, label_smoothing: float = 0.0) -> keras.losses.Loss:
    """A Keras loss by name.

    Args:
        name: a key of :data:`LOSSES`.
        label_smoothing: 0 to 1, the share of each label that is spread over all classes.

    Raises:
        UsageError: there is no such loss, or it has no labels to smooth.
    """
    if name not in LOSSES:
        raise UsageError(
            f"There is no loss '{name}'; it is one of {', '.join(LOSSES)}.{did_you_mean(name, list(LOSSES))}"
        )
    return LOSSES[name].create(label_smoothing)
