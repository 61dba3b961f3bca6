"""Losses by the names that recipes give them; each takes targets and outputs of shape (batch, classes)."""

from __future__ import annotations

import difflib
from typing import Any

import keras
from keras import ops

from zoo.errors import UsageError


def margin_loss(y_true: Any, y_pred: Any) -> Any:
    """The margin loss of capsules (Sabour, Frosst and Hinton 2017, https://arxiv.org/abs/1710.09829).

    ``T max(0, 0.9 - v)^2 + 0.5 (1 - T) max(0, v - 0.1)^2``, summed over the classes.

    Args:
        y_true: float (batch, classes), 1 for the class that is there, else 0.
        y_pred: float (batch, classes), lengths of the capsules, 0-1.

    Returns:
        float (batch,).
    """
    y_true = ops.cast(y_true, y_pred.dtype)
    present = ops.square(ops.relu(0.9 - y_pred))
    absent = ops.square(ops.relu(y_pred - 0.1))
    return ops.sum(y_true * present + 0.5 * (1 - y_true) * absent, axis=-1)


def get(name: str, *, label_smoothing: float = 0.0) -> Any:
    """A Keras loss.

    Args:
        name: ``"crossentropy"`` on probabilities, ``"margin"`` on lengths of capsules, or ``"mse"`` on pictures.
        label_smoothing: share of each label that is spread over all classes, for ``"crossentropy"``.

    Raises:
        UsageError: no loss of that name, or smoothing with one that takes none.
    """
    if name == "crossentropy":
        return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    others = {"margin": margin_loss, "mse": keras.losses.MeanSquaredError()}
    if name not in others:
        names = ["crossentropy", *others]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"There is no loss '{name}'.{hint} The losses are: {', '.join(names)}.")
    if label_smoothing:
        raise UsageError(f"The loss {name} takes no label_smoothing; crossentropy does.")
    return others[name]
