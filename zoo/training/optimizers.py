"""Keras's optimisers by name; the namespace :mod:`keras.optimizers` is the table."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean
from zoo.training.recipe import Recipe


def create(recipe: Recipe, scales: Sequence[float] | None = None, adapt: Callable[[Any], Any] | None = None) -> Any:
    """The optimiser of a recipe; ``scales`` are factors of the learning rate, not of weight decay, by variable."""
    arguments = dict(recipe.optimizer)
    name = str(arguments.pop("name"))
    offered = {
        key.lower(): value
        for key, value in vars(keras.optimizers).items()
        if inspect.isclass(value) and issubclass(value, keras.optimizers.Optimizer) and key != "Optimizer"
    }
    if name.lower() not in offered:
        hint = did_you_mean(name, list(offered)) or f" It has {', '.join(sorted(offered))}."
        raise UsageError(f"Keras has no optimiser '{name}'.{hint}")
    kind = offered[name.lower()]
    known = inspect.signature(kind).parameters
    for key in arguments:
        if key not in known or key == "kwargs":
            raise UsageError(f"Keras's optimiser {name} has no argument '{key}'.{did_you_mean(key, list(known))}")
    optional = {
        "weight_decay": recipe.weight_decay,
        "global_clipnorm": recipe.clip_norm,
        "gradient_accumulation_steps": recipe.accumulate if recipe.accumulate > 1 else None,
        "use_ema": bool(recipe.average),
        "ema_momentum": recipe.average,
    }
    settings: dict[str, Any] = {"learning_rate": recipe.learning_rate, **arguments}
    settings |= {key: value for key, value in optional.items() if value}
    try:
        scaled = kind if scales is None else _scaled(kind, scales)
        optimizer: Any = (scaled if adapt is None else adapt(scaled))(**settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"Keras's optimiser {name} refuses its arguments: {' '.join(str(error).split())}") from error
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def _scaled(kind: Any, scales: Sequence[float]) -> Any:
    """The class of an optimiser with a factor of the learning rate for each variable."""

    class Scaled(kind):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            factor = scales[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * factor)

    return Scaled
