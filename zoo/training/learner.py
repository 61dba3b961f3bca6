"""The Keras side of training: a network that learns from batches, is judged, and gives its weights away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from zoo import models
from zoo.core.errors import UsageError, ZooError
from zoo.core.spec import ModelSpec, Preprocessing
from zoo.training import distribution, losses, optimizers
from zoo.training.recipe import Recipe

#: What holds the last layer's output in every network that classifies.
_LAST = "predictions"


class DivergedError(ZooError):
    """The loss is no number any more."""


class Learner:
    """A network in training, on one device or on several (:mod:`zoo.training.distribution`).

    It may be a part of a network, the rest of which has done its work already and stays as it is. It learns in mixed
    precision where it is asked to; what it gives away is float32, without the parts that only training needs, and
    without an optimiser.
    """

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        *,
        plain: keras.Model,
        whole: keras.Model | None = None,
        scales: Sequence[float] | None = None,
        target: Preprocessing | None = None,
        taught: bool = False,
    ) -> None:
        """Compile.

        Args:
            model: what learns. Further outputs after that of the layer ``predictions`` are auxiliary heads.
            recipe: how it is trained.
            plain: what is given away. It has the layers of ``whole``, by name, and may be the same network.
            whole: the network that ``model`` is a part of; ``model`` without.
            scales: a factor of the learning rate for each trainable variable of ``model``, in their order.
            target: for a network that draws its input again, how that input is prepared.
            taught: whether labels come with the opinions of a teacher, as twice as many columns.

        Raises:
            UsageError: an optimiser or one of its arguments that Keras does not have.
        """
        if model is plain:
            # The same layers once more: what is compiled is saved with its optimiser, and what is given away is not.
            whole, model = plain, keras.Model(plain.inputs, plain.outputs, name=plain.name)
        self.recipe, self.model, self.plain = recipe, model, plain
        self.network = model
        if _has_layer(model, _LAST) and model.output_names != [_LAST]:
            self.network = keras.Model(model.inputs, model.get_layer(_LAST).output)
        self._whole = model if whole is None else whole
        self._target, self._taught = target, taught
        self._heads = len(model.outputs)
        self._class_weights: np.ndarray | None = None
        # Whether the weights are those of an earlier time, averaged already.
        self._past = False
        self._placement = distribution.current()
        # Who learns: the network itself, or its copy on several devices.
        self._learns = self._placement.copy(model)
        with self._placement.scope():
            self.optimizer = optimizers.create(recipe, scales, self._placement.adapt)
            self._compile()
            self.optimizer.build(self._learns.trainable_variables)

    @classmethod
    def from_scratch(
        cls,
        spec: ModelSpec,
        recipe: Recipe,
        classes: int,
        *,
        precision: str,
        seed: int,
        weights: str | None = None,
        taught: bool = False,
    ) -> Learner:
        """A learner of all of a network.

        Args:
            spec: the network.
            recipe: how it is trained.
            classes: number of outputs; 0 for a network that does not classify.
            precision: a Keras dtype policy.
            seed: of the weights and of dropout; every random generator of Keras, NumPy and Python is seeded.
            weights: tag or file of weights to begin with; random ones without.
            taught: whether there is a teacher.

        Raises:
            UsageError: an optimiser or one of its arguments that Keras does not have.
        """
        keras.utils.set_random_seed(seed)
        with policy(precision):
            model = models.create_model(spec, weights, num_classes=classes or None, training=True)
        with policy("float32"):
            plain = models.create_model(spec, None, num_classes=classes or None)
        target = spec.preprocessing if recipe.loss == "mse" else None
        return cls(model, recipe, plain=plain, target=target, taught=taught)

    def _compile(self) -> None:
        heads = len(self.model.outputs)
        loss = losses.get(self.recipe.loss, label_smoothing=self.recipe.label_smoothing)
        if self._taught:
            loss = losses.Distillation(loss, alpha=self.recipe.alpha, temperature=self.recipe.temperature)
        metrics = [] if self._target else [keras.metrics.MeanMetricWrapper(_is_right, name="top1")]
        jit = self._placement.jit
        if heads == 1:
            self._learns.compile(self.optimizer, loss, metrics=metrics, jit_compile=jit)
            return
        weights = [1.0] + [self.recipe.auxiliary_weight] * (heads - 1)
        nothing: list[Any] = [[] for _ in range(heads - 1)]
        self._learns.compile(
            self.optimizer, [loss] * heads, loss_weights=weights, metrics=[metrics, *nothing], jit_compile=jit
        )

    def weigh_classes(self, weights: np.ndarray) -> None:
        """Weigh each image's loss by its class: float (classes,), mean 1 over the images."""
        self._class_weights = weights.astype("float32")

    def step(self, x: np.ndarray, y: np.ndarray, learning_rate: float) -> dict[str, float]:
        """Learn from one batch.

        Args:
            x: what the network takes: uint8 (b, height, width, 3), or what the rest of it made of that.
            y: float32 (b, classes), shares of the classes; with a teacher (b, 2 classes), its opinions after them.
            learning_rate: of this step.

        Returns:
            ``loss`` and, for a network that classifies, ``top1``: means over the batch, before the step.

        Raises:
            DivergedError: the loss is no finite number.
        """
        self.optimizer.learning_rate = learning_rate
        weights = None
        if self._class_weights is not None:
            weights = y[:, : len(self._class_weights)] @ self._class_weights
        target: Any = y if self._target is None else self._target.apply(x)
        if self._heads > 1:
            target = [target] * self._heads
            weights = None if weights is None else [weights] * self._heads
        logs = self._placement.step(self._learns, x, target, weights)
        values = {"loss": float(logs["loss"])}
        for key in logs:
            # With several outputs Keras puts the name of the output before it.
            if key.endswith("top1"):
                values["top1"] = float(logs[key])
        if not np.isfinite(values["loss"]):
            raise DivergedError("the loss is no number any more")
        return values

    @contextlib.contextmanager
    def given(self) -> Iterator[keras.Model]:
        """The finished network with today's weights: float32, no optimiser, nothing that only training needs."""
        with self.judged():
            if self._whole is not self.plain:
                for layer in self.plain.layers:
                    if layer.weights:
                        layer.set_weights(self._whole.get_layer(layer.name).get_weights())
            yield self.plain

    def snapshot(self) -> list[np.ndarray]:
        """The weights and statistics that are judged, for :meth:`as_it_was`."""
        with self.judged():
            return [_copy(variable) for variable in self.model.variables]

    @contextlib.contextmanager
    def as_it_was(self, values: Sequence[np.ndarray]) -> Iterator[None]:
        """The network as it was at a :meth:`snapshot`; afterwards as it is."""
        own = [_copy(variable) for variable in self._learns.variables]
        self._past = True
        self._placement.assign(self._learns.variables, values)
        try:
            yield
        finally:
            self._past = False
            self._placement.assign(self._learns.variables, own)

    def state(self) -> list[np.ndarray]:
        """Every variable that decides what comes next: weights, statistics, random generators, the optimiser's own."""
        return [keras.ops.convert_to_numpy(variable.value) for variable in self._variables()]

    def restore(self, arrays: Sequence[np.ndarray]) -> None:
        """Put back what :meth:`state` gave.

        Raises:
            UsageError: they belong to another network, or to another optimiser.
        """
        variables = self._variables()
        fit = len(arrays) == len(variables)
        if not fit or any(tuple(v.shape) != a.shape for v, a in zip(variables, arrays, strict=True)):
            raise UsageError("The checkpoint belongs to another network or optimiser; start again, without --resume.")
        self._placement.assign(variables, arrays)

    @property
    def size(self) -> int:
        """How many arrays :meth:`state` gives."""
        return len(self._variables())

    def _variables(self) -> list[Any]:
        return [*self._learns.variables, *self.optimizer.variables]

    @contextlib.contextmanager
    def judged(self) -> Iterator[keras.Model]:
        """The network as it is judged and given away: with the running mean of its weights, where the recipe asks."""
        if self._learns is not self.model:
            for variable, learnt in zip(self.model.variables, self._learns.variables, strict=True):
                variable.assign(_copy(learnt))
        means = getattr(self.optimizer, "_model_variables_moving_average", None)
        if self._past or self.recipe.average is None or not means:
            yield self.network
            return
        # Copies, because JAX gives the memory of weights away with each step, and two variables must not share it.
        own = [_copy(variable) for variable in self.model.trainable_variables]
        for variable, mean in zip(self.model.trainable_variables, means, strict=True):
            variable.assign(_copy(mean))
        try:
            yield self.network
        finally:
            for variable, value in zip(self.model.trainable_variables, own, strict=True):
                variable.assign(value)


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """A dtype policy for what is built meanwhile."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _is_right(y_true: Any, y_pred: Any) -> Any:
    """As :func:`zoo.training.losses.is_right`; a row without a target, which only fills a batch up, is never right."""
    there = keras.ops.cast(keras.ops.any(keras.ops.not_equal(y_true, 0), axis=-1), "float32")
    return losses.is_right(y_true, y_pred) * there


def _copy(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable.value))


def _has_layer(model: keras.Model, name: str) -> bool:
    return any(layer.name == name for layer in model.layers)
