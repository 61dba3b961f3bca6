"""Losses by the names that recipes use. A new one is a function here, which imports its framework, and a row."""

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


#: Of probabilities, of capsule lengths, and of images.
LOSSES = {"crossentropy": Entry(_crossentropy), "margin": Entry(_margin), "mse": Entry(_mse, autoencoder=True)}


def get(name: str, label_smoothing: float = 0.0) -> keras.losses.Loss:
    """A Keras loss by name; ``label_smoothing`` is the share of each label that is spread over all classes."""
    if name not in LOSSES:
        hint = did_you_mean(name, list(LOSSES))
        raise UsageError(f"There is no loss '{name}'; it is one of {', '.join(LOSSES)}.{hint}")
    return LOSSES[name].create(label_smoothing)
