"""The Keras side of training: a network that is trained batch by batch, and its weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.core.errors import UsageError, ZooError
from zoo.core.spec import Preprocessing
from zoo.training import distribution, losses, optimizers
from zoo.training.recipe import Recipe

_LAST = "predictions"  #: The last layer of every network that classifies.


class DivergedError(ZooError):
    """The loss is not a finite number."""


class Learner:
    """A network in training: a whole one, or the upper part of one whose lower part is frozen and computed already."""

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        *,
        plain: keras.Model,
        whole: keras.Model | None = None,
        scales: Sequence[float] | None = None,
        target: Preprocessing | None = None,
        distill: bool = False,
    ) -> None:
        """Compile.

        ``plain`` is the network for inference, with the layer names of ``whole``, of which ``model`` is a part; either
        may be ``model``. ``scales`` are factors of the learning rate by trainable variable of ``model``.
        """
        if model is plain:
            # The same layers in a second model: a compiled one would be saved with its optimiser.
            whole, model = plain, keras.Model(plain.inputs, plain.outputs, name=plain.name)
        self.recipe, self.model, self.plain = recipe, model, plain
        self.network = model
        if any(layer.name == _LAST for layer in model.layers) and model.output_names != [_LAST]:
            self.network = keras.Model(model.inputs, model.get_layer(_LAST).output)
        self._whole = model if whole is None else whole
        self._target = target
        self._class_weights: np.ndarray | None = None
        # Whether the weights are those of an earlier time, for which EMA does not hold.
        self._temporary = False
        self._placement = distribution.current()
        # What is trained: the network itself, or its copy on several devices.
        self._trained = self._placement.copy(model)
        with self._placement.scope():
            self.optimizer = optimizers.create(recipe, scales, self._placement.adapt)
            self._compile(distill)
            self.optimizer.build(self._trained.trainable_variables)

    def _compile(self, distill: bool) -> None:
        loss = losses.get(self.recipe.loss, label_smoothing=self.recipe.label_smoothing)
        if distill:
            from zoo.training.distillation_loss import DistillationLoss

            loss = DistillationLoss(loss, alpha=self.recipe.alpha, temperature=self.recipe.temperature)
        metrics: list[Any] = [] if self._target else [keras.metrics.MeanMetricWrapper(top1, name="top1")]
        loss_weights = None
        if auxiliary := len(self.model.outputs) - 1:
            loss_weights = [1.0] + [self.recipe.auxiliary_weight] * auxiliary
            metrics = [metrics, *([] for _ in range(auxiliary))]
            loss = [loss] * (auxiliary + 1)
        self._trained.compile(self.optimizer, loss, loss_weights, metrics, jit_compile=self._placement.jit)

    def weigh_classes(self, weights: np.ndarray) -> None:
        """Weigh each image's loss by its class: float (classes,), mean 1 over the images."""
        self._class_weights = weights.astype("float32")

    def step(self, x: np.ndarray, y: np.ndarray, learning_rate: float) -> dict[str, float]:
        """Train on one batch; means of ``loss`` and, for a classifier, ``top1``, before the step."""
        self.optimizer.learning_rate = learning_rate
        weights: Any = None
        if self._class_weights is not None:
            weights = y[:, : len(self._class_weights)] @ self._class_weights
        target: Any = y if self._target is None else self._target.apply(x)
        if (heads := len(self.model.outputs)) > 1:
            target = [target] * heads
            weights = None if weights is None else [weights] * heads
        logs = self._placement.step(self._trained, x, target, weights)
        values = {"loss": float(logs["loss"])}
        # With several outputs Keras puts the name of the output before that of the metric.
        for name in logs:
            if name.endswith("top1"):
                values["top1"] = float(logs[name])
        if not np.isfinite(values["loss"]):
            raise DivergedError("the loss is not a finite number")
        return values

    @contextlib.contextmanager
    def inference_model(self) -> Iterator[keras.Model]:
        """The network for inference with the current weights: float32, no optimiser, no auxiliary heads."""
        with self.evaluation_weights():
            if self._whole is not self.plain:
                copy_weights(self._whole, self.plain)
            yield self.plain

    @contextlib.contextmanager
    def evaluation_weights(self) -> Iterator[keras.Model]:
        """The network with the weights that are evaluated and saved: their EMA if the recipe has one."""
        if self._trained is not self.model:
            for variable, trained in zip(self.model.variables, self._trained.variables, strict=True):
                variable.assign(_copy(trained))
        averages = getattr(self.optimizer, "_model_variables_moving_average", None)
        if self._temporary or self.recipe.average is None or not averages:
            yield self.network
            return
        # Copies, because JAX gives the memory of weights away with each step, and two variables must not share it.
        own = [_copy(variable) for variable in self.model.trainable_variables]
        for variable, average in zip(self.model.trainable_variables, averages, strict=True):
            variable.assign(_copy(average))
        try:
            yield self.network
        finally:
            for variable, value in zip(self.model.trainable_variables, own, strict=True):
                variable.assign(value)

    def snapshot(self) -> list[np.ndarray]:
        """The weights and statistics that are evaluated, for :meth:`temporary_weights`."""
        with self.evaluation_weights():
            return [_copy(variable) for variable in self.model.variables]

    @contextlib.contextmanager
    def temporary_weights(self, values: Sequence[np.ndarray]) -> Iterator[None]:
        """Put the weights of a :meth:`snapshot` in place for a ``with`` block."""
        own = [_copy(variable) for variable in self._trained.variables]
        self._temporary = True
        self._placement.assign(self._trained.variables, values)
        try:
            yield
        finally:
            self._temporary = False
            self._placement.assign(self._trained.variables, own)

    def state(self) -> list[np.ndarray]:
        """All variables that decide the next step: weights, statistics, random generators, the optimiser's own."""
        return [ops.convert_to_numpy(variable.value) for variable in self._variables()]

    def restore(self, arrays: Sequence[np.ndarray]) -> None:
        """Restore what :meth:`state` gave."""
        variables = self._variables()
        if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
            raise UsageError("The checkpoint belongs to another network or optimiser; start again, without --resume.")
        self._placement.assign(variables, arrays)

    @property
    def size(self) -> int:
        """The number of arrays of :meth:`state`."""
        return len(self._variables())

    def _variables(self) -> list[Any]:
        return [*self._trained.variables, *self.optimizer.variables]


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """A Keras dtype policy for what is built in a ``with`` block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of all layers of ``target`` from the layers of the same names."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def top1(y_true: Any, y_pred: Any) -> Any:
    """Whether the most probable class is the label's, (batch,); never for a row of zeros, which fills up a batch."""
    # Columns after the classes are a teacher's.
    right = ops.equal(ops.argmax(y_true[:, : y_pred.shape[-1]], axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(ops.logical_and(right, ops.any(ops.not_equal(y_true, 0), axis=-1)), "float32")


def _copy(variable: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable.value))
