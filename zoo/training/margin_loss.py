"""What a network is trained to make small, by name."""

from __future__ import annotations

import difflib
from typing import Any

import keras
from keras import ops

from zoo.core.errors import UsageError
from zoo.training.recipe import LOSSES


@keras.saving.register_keras_serializable(package="zoo")  # type: ignore[untyped-decorator]
def margin_loss(
    y_true: Any, y_pred: Any, upper: float = 0.9, lower: float = 0.1, down_weight: float = 0.5
) -> Any:  # fmt: skip
    """Ask that the capsule of a class that is there be long, and that the others be short.

    ``sum_k T_k max(0, upper - v_k)² + down_weight (1 - T_k) max(0, v_k - lower)²``, equation 4 of Sabour, Frosst and
    Hinton, Dynamic Routing Between Capsules (2017), arXiv 1710.09829.

    Args:
        y_true: float (batch, classes): 1 for a class that is there and 0 otherwise, or shares in between.
        y_pred: float (batch, classes): lengths from 0 to 1, independent of each other.
        upper: m+, the length beyond which nothing is gained.
        lower: m-, the length below which nothing is gained.
        down_weight: λ, so that at first the many classes that are absent do not shrink all capsules.

    Returns:
        float (batch,).
    """
    y_true = ops.cast(y_true, y_pred.dtype)
    present = ops.multiply(y_true, ops.square(ops.relu(ops.subtract(upper, y_pred))))
    absent = ops.multiply(ops.subtract(1.0, y_true), ops.square(ops.relu(ops.subtract(y_pred, lower))))
    return ops.sum(ops.add(present, ops.multiply(absent, down_weight)), axis=-1)


@keras.saving.register_keras_serializable(package="zoo")
class MarginLoss(keras.losses.Loss):  # type: ignore[misc]
    """:func:`margin_loss` as a Keras loss, a mean over the batch.

    Args:
        label_smoothing: 0 to 1: the share of each label that is spread over all classes.
        **kwargs: of :class:`keras.losses.Loss`.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "margin_loss", **kwargs: Any) -> None:
        """Keep the smoothing."""
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each image: float (batch, classes) twice to (batch,)."""
        if self.label_smoothing:
            y_true = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / y_true.shape[-1]
        return margin_loss(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="zoo")
class Distillation(keras.losses.Loss):  # type: ignore[misc]
    """The loss of the labels, and how far the network's softened probabilities are from a teacher's.

    ``(1 - alpha) loss(labels) + alpha T² KL(teacher || network)`` with both sides at the temperature T, Hinton, Vinyals
    and Dean, Distilling the Knowledge in a Neural Network (2015), arXiv 1503.02531. T² keeps the share of the gradients
    the same at every temperature.

    Args:
        labels: the loss of the labels.
        alpha: 0 to 1, the teacher's part.
        temperature: above 0; 1 leaves probabilities as they are, more makes them alike.
        **kwargs: of :class:`keras.losses.Loss`.
    """

    def __init__(
        self, labels: keras.losses.Loss, alpha: float, temperature: float, name: str = "distillation", **kwargs: Any
    ) -> None:
        """Keep the loss of the labels."""
        super().__init__(name=name, **kwargs)
        self.labels, self.alpha, self.temperature = labels, alpha, temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each image.

        Args:
            y_true: float (batch, 2 classes): shares of the classes, then the teacher's probabilities.
            y_pred: float (batch, classes), probabilities.

        Returns:
            float (batch,).
        """
        classes = y_pred.shape[-1]
        teacher, network = (_log_softened(p, self.temperature) for p in (y_true[:, classes:], y_pred))
        apart = ops.sum(ops.exp(teacher) * (teacher - network), axis=-1)
        labels = self.labels.call(y_true[:, :classes], y_pred)
        return (1.0 - self.alpha) * labels + self.alpha * self.temperature**2 * apart

    def get_config(self) -> dict[str, Any]:
        """Arguments, for saving."""
        labels = keras.saving.serialize_keras_object(self.labels)
        return {**super().get_config(), "labels": labels, "alpha": self.alpha, "temperature": self.temperature}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Distillation:
        """What :meth:`get_config` gave."""
        return cls(**{**config, "labels": keras.saving.deserialize_keras_object(config["labels"])})


def is_right(y_true: Any, y_pred: Any) -> Any:
    """Whether the most probable class is the true one: float (batch,), 0 or 1.

    Columns of ``y_true`` after the classes, which are a teacher's, do not count.
    """
    truth = ops.argmax(y_true[:, : y_pred.shape[-1]], axis=-1)
    return ops.cast(ops.equal(truth, ops.argmax(y_pred, axis=-1)), "float32")


def _log_softened(probabilities: Any, temperature: float) -> Any:
    """Logarithms of probabilities (batch, classes) at a temperature; the softmax of their logarithms over it."""
    return ops.log_softmax(ops.log(ops.clip(probabilities, 1e-7, 1.0)) / temperature, axis=-1)


def get(name: str, label_smoothing: float = 0.0) -> keras.losses.Loss:
    """A Keras loss by name; labels are shares of the classes, float (batch, classes).

    Args:
        name: ``"crossentropy"`` on probabilities, ``"margin"`` on lengths of capsules, or ``"mse"``, the mean squared
            error of a network that draws its input again.
        label_smoothing: 0 to 1: the share of each label that is spread over all classes.

    Raises:
        UsageError: there is no such loss, or it has no labels to smooth.
    """
    if name not in LOSSES:
        near = difflib.get_close_matches(name.lower(), LOSSES, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"There is no loss '{name}'; it is one of {', '.join(LOSSES)}.{hint}")
    if name == "mse":
        if label_smoothing:
            raise UsageError(f"label_smoothing is of labels, and the loss mse has none. Received: {label_smoothing}")
        return keras.losses.MeanSquaredError()
    if name == "margin":
        return MarginLoss(label_smoothing)
    return keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
