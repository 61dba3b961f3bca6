"""The Keras side of training: a network that learns from batches, is judged, and gives its weights away."""

from __future__ import annotations

import contextlib
import difflib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from zoo import models
from zoo.errors import UsageError, ZooError
from zoo.spec import ModelSpec
from zoo.training import losses
from zoo.training.recipe import Recipe

#: What holds the last layer's output in every network that classifies.
_LAST = "predictions"


class DivergedError(ZooError):
    """The loss is no number any more."""


class Learner:
    """A network in training.

    It learns in mixed precision where it is asked to; what it gives away, :attr:`plain`, is float32, without the parts
    that only training needs, and without an optimiser.
    """

    def __init__(
        self, spec: ModelSpec, recipe: Recipe, classes: int, *, precision: str, seed: int, weights: str | None = None
    ) -> None:
        """Build and compile.

        Args:
            spec: the network.
            recipe: how it is trained.
            classes: number of outputs; 0 for a network that does not classify.
            precision: a Keras dtype policy.
            seed: of the weights and of dropout; every random generator of Keras, NumPy and Python is seeded.
            weights: tag or file of weights to begin with; random ones without.

        Raises:
            UsageError: an optimiser or one of its arguments that Keras does not have.
        """
        self.recipe = recipe
        keras.utils.set_random_seed(seed)
        with _policy(precision):
            self.model = models.create_model(spec, weights, num_classes=classes or None, training=True)
            self.network = self.model
            if _has_layer(self.model, _LAST):
                self.network = keras.Model(self.model.inputs, self.model.get_layer(_LAST).output)
        with _policy("float32"):
            self.plain = models.create_model(spec, None, num_classes=classes or None)
        self.optimizer = _optimizer(recipe)
        self._compile()
        self.optimizer.build(self.model.trainable_variables)
        self._target = spec.preprocessing if recipe.loss == "mse" else None
        self._heads = len(self.model.outputs)
        self._class_weights: np.ndarray | None = None

    def _compile(self) -> None:
        heads = len(self.model.outputs)
        loss = losses.get(self.recipe.loss, label_smoothing=self.recipe.label_smoothing)
        classifies = self.recipe.loss != "mse"
        first = [keras.metrics.CategoricalAccuracy(name="top1")] if classifies else []
        if heads == 1:
            self.model.compile(self.optimizer, loss, metrics=first)
            return
        weights = [1.0] + [self.recipe.auxiliary_weight] * (heads - 1)
        nothing: list[Any] = [[] for _ in range(heads - 1)]
        self.model.compile(self.optimizer, [loss] * heads, loss_weights=weights, metrics=[first, *nothing])

    def weigh_classes(self, weights: np.ndarray) -> None:
        """Weigh each picture's loss by its class: float (classes,), mean 1 over the pictures."""
        self._class_weights = weights.astype("float32")

    def step(self, x: np.ndarray, y: np.ndarray, learning_rate: float) -> dict[str, float]:
        """Learn from one batch.

        Args:
            x: uint8 (b, height, width, 3).
            y: float32 (b, classes), shares of the classes.
            learning_rate: of this step.

        Returns:
            ``loss`` and, for a network that classifies, ``top1``: means over the batch, before the step.

        Raises:
            DivergedError: the loss is no finite number.
        """
        self.optimizer.learning_rate = learning_rate
        weights = None if self._class_weights is None else y @ self._class_weights
        target: Any = y if self._target is None else self._target.apply(x)
        if self._heads > 1:
            target = [target] * self._heads
            weights = None if weights is None else [weights] * self._heads
        logs = self.model.train_on_batch(x, target, sample_weight=weights, return_dict=True)
        values = {"loss": float(logs["loss"])}
        for key in logs:
            # With several outputs Keras puts the name of the output before it.
            if key.endswith("top1"):
                values["top1"] = float(logs[key])
        if not np.isfinite(values["loss"]):
            raise DivergedError("the loss is no number any more")
        return values

    def give(self) -> keras.Model:
        """The finished network with today's weights: float32, no optimiser, nothing that only training needs."""
        with self.judged():
            for layer in self.plain.layers:
                if layer.weights:
                    layer.set_weights(self.model.get_layer(layer.name).get_weights())
        return self.plain

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
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    @contextlib.contextmanager
    def judged(self) -> Iterator[keras.Model]:
        """The network as it is judged and given away: with the running mean of its weights, where the recipe asks."""
        means = getattr(self.optimizer, "_model_variables_moving_average", None)
        if self.recipe.average is None or not means:
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


def _optimizer(recipe: Recipe) -> Any:
    """A Keras optimiser by name and arguments.

    Raises:
        UsageError: Keras has no such optimiser, or it has no such argument.
    """
    arguments = dict(recipe.optimizer)
    name = str(arguments.pop("name"))
    offered = {
        key.lower(): value
        for key, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer) and key != "Optimizer"
    }
    if name.lower() not in offered:
        near = difflib.get_close_matches(name.lower(), offered, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else f" It has {', '.join(sorted(offered))}."
        raise UsageError(f"Keras has no optimiser '{name}'.{hint}")
    kind = offered[name.lower()]
    taken = inspect.signature(kind).parameters
    for key in arguments:
        if key not in taken or key == "kwargs":
            near = difflib.get_close_matches(key, taken, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"Keras's optimiser {name} has no argument '{key}'.{hint}")
    settings: dict[str, Any] = {"learning_rate": recipe.learning_rate, **arguments}
    if recipe.weight_decay:
        settings["weight_decay"] = recipe.weight_decay
    if recipe.clip_norm:
        settings["global_clipnorm"] = recipe.clip_norm
    if recipe.accumulate > 1:
        settings["gradient_accumulation_steps"] = recipe.accumulate
    if recipe.average:
        settings |= {"use_ema": True, "ema_momentum": recipe.average}
    try:
        optimizer: Any = kind(**settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"Keras's optimiser {name} refuses its arguments: {' '.join(str(error).split())}") from error
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


@contextlib.contextmanager
def _policy(name: str) -> Iterator[None]:
    """A dtype policy for what is built meanwhile."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _copy(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable.value))


def _has_layer(model: keras.Model, name: str) -> bool:
    return any(layer.name == name for layer in model.layers)
