"""Recipes: how a network is trained, as a YAML file of ``configs/recipes/``, of a user's folder, or any path.

The arguments of an optimiser, which only Keras knows, are checked when the training starts.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from zoo.catalog import files as catalogue
from zoo.core import paths
from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean
from zoo.data.augment.config import Augment
from zoo.training.losses import LOSSES
from zoo.training.schedule import Schedule

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
MONITORS = ("top1", "loss")
CLASS_WEIGHTS = ("none", "balanced")

DEFAULT = "default"  #: The recipe of a network that names none.


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained."""

    name: str = DEFAULT
    description: str = ""
    # Length
    epochs: int = 30
    batch_size: int = 128
    #: Epochs without improvement of ``monitor`` after which the training ends; ``None``: never.
    patience: int | None = None
    monitor: str = "top1"  #: The metric on the validation images that chooses the best epoch: ``top1`` or ``loss``.
    # Optimiser
    #: Name of a Keras optimiser, and its arguments.
    optimizer: Mapping[str, Any] = field(default_factory=lambda: {"name": "sgd", "momentum": 0.9, "nesterov": True})
    learning_rate: float = 0.05  #: The peak learning rate of the schedule.
    schedule: Schedule = field(default_factory=Schedule)
    #: Decoupled, as in Keras: each step subtracts learning rate x weight decay of every kernel; not of biases, nor of
    #: BatchNorm's variables.
    weight_decay: float = 0.0
    clip_norm: float | None = None  #: Largest global norm of the gradients; ``None``: no limit.
    accumulate: int = 1  #: Batches whose gradients are accumulated for one step.
    #: Momentum of an EMA of the weights, which is then what is evaluated and saved, e.g. 0.998; ``None``: no EMA.
    average: float | None = None
    #: The weights of so many best epochs are averaged at the end; the mean is kept if it validates better.
    average_best: int = 1
    # Loss
    loss: str = "crossentropy"  #: A key of :data:`zoo.training.losses.LOSSES`.
    label_smoothing: float = 0.0
    class_weights: str = "none"  #: ``balanced`` weighs each image by the inverse of its class's share.
    auxiliary_weight: float = 0.3  #: Weight of the loss of auxiliary heads, if a network has them.
    alpha: float = 0.5  #: With a teacher: its weight in the loss, 0-1, and the distillation temperature.
    temperature: float = 4.0
    # Data
    augment: Augment = field(default_factory=Augment)
    #: ``auto``: mixed_bfloat16 if the device is fast in it (NVIDIA GPUs, AMX or AVX-512 BF16), else float32.
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Check the ranges."""
        _require(self.epochs >= 1, "epochs", "at least 1", self.epochs)
        _require(self.batch_size >= 1, "batch_size", "at least 1", self.batch_size)
        _require(self.patience is None or self.patience >= 1, "patience", "at least 1, or null", self.patience)
        _require(self.learning_rate >= 0, "learning_rate", "a number from 0", self.learning_rate)
        _require(self.weight_decay >= 0, "weight_decay", "a number from 0", self.weight_decay)
        _require(self.clip_norm is None or self.clip_norm > 0, "clip_norm", "above 0, or null", self.clip_norm)
        _require(self.accumulate >= 1, "accumulate", "at least 1", self.accumulate)
        _require(self.average is None or 0 < self.average < 1, "average", "between 0 and 1, or null", self.average)
        _require(1 <= self.average_best <= 20, "average_best", "from 1 to 20", self.average_best)
        _require(0 <= self.label_smoothing < 1, "label_smoothing", "from 0 to below 1", self.label_smoothing)
        _require(self.auxiliary_weight >= 0, "auxiliary_weight", "a number from 0", self.auxiliary_weight)
        _require(0 <= self.alpha <= 1, "alpha", "from 0 to 1", self.alpha)
        _require(self.temperature > 0, "temperature", "above 0", self.temperature)
        _choice("loss", self.loss, LOSSES)
        _choice("precision", self.precision, PRECISIONS)
        _choice("monitor", self.monitor, MONITORS)
        _choice("class_weights", self.class_weights, CLASS_WEIGHTS)
        _require("name" in self.optimizer, "optimizer", "a name with arguments, {name: sgd, …}", dict(self.optimizer))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON; the inverse of :func:`from_mapping`."""
        return {key: _plain(value) for key, value in dataclasses.asdict(self).items()}


def load(name: str | os.PathLike[str], changes: Sequence[str] = (), **overrides: Any) -> Recipe:
    """A recipe by name or path, with changes: ``KEY=VALUE`` as typed, and values by key, of which ``None`` is none."""
    file = find(name)
    values = read(file)
    for change in changes:
        apply(values, change)
    values |= {key: value for key, value in overrides.items() if value is not None}
    return from_mapping(values, where=str(file))


def read(file: Path) -> dict[str, Any]:
    """The plain values of a recipe file, with its name."""
    try:
        values = catalogue.read_yaml(file)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{file}{line}: this is not YAML: {getattr(error, 'problem', error)}.") from error
    if not isinstance(values, dict):
        raise UsageError(f"{file}: a recipe is a mapping, such as 'epochs: 20'. Received: {type(values).__name__}")
    return {"name": file.stem, **values}


def from_mapping(values: Mapping[str, Any], *, where: str = "recipe") -> Recipe:
    """A recipe from plain values."""
    fields = {item.name: item for item in dataclasses.fields(Recipe)}
    ready: dict[str, Any] = {}
    try:
        for key, value in values.items():
            if key not in fields:
                raise UsageError(f"there is no '{key}' in a recipe.{did_you_mean(key, list(fields))}")
            ready[key] = _typed(key, value, str(fields[key].type))
        return Recipe(**ready)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def find(name: str | os.PathLike[str], kind: str = "recipes") -> Path:
    """The file of a recipe by name or path; ``kind`` is the folder of such recipes."""
    text = os.fspath(name)
    if text.endswith((".yaml", ".yml")) or os.sep in text:
        if not Path(text).is_file():
            raise UsageError(f"There is no file {text}.")
        return Path(text)
    known = available(kind)
    if text not in known:
        hint = did_you_mean(text, list(known))
        raise UsageError(f"There is no recipe '{text}'.{hint} The recipes are: {', '.join(known)}.")
    return known[text]


def available(kind: str = "recipes") -> dict[str, Path]:
    """The files of all recipes by name, sorted; a user's own wins over a shipped one."""
    folders = [paths.shipped("configs", kind), *(root / kind for root in paths.config_roots()[::-1])]
    files = {file.stem: file for folder in folders for file in sorted(folder.glob("*.yaml"))}
    return dict(sorted(files.items()))


def apply(values: dict[str, Any], change: str) -> None:
    """Set one ``KEY=VALUE`` in nested plain values."""
    key, separator, text = change.partition("=")
    if not separator:
        raise UsageError(f"--set takes KEY=VALUE, such as augment.cutout=8. Received: {change}")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"--set {key}: the value is not YAML. Received: {text}") from error
    *parents, last = key.strip().split(".")
    inner = values
    for parent in parents:
        child = inner.get(parent)
        if isinstance(child, str) and parent in ("optimizer", "schedule"):
            # `optimizer: adam` is short for a mapping with a name.
            child = {"name": child}
        inner[parent] = dict(child) if isinstance(child, dict) else {}
        inner = inner[parent]
    inner[last] = value


_WORDS: dict[str, tuple[Any, str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "float": (int | float, "a number"),
}


def _typed(key: str, value: Any, kind: str) -> Any:
    """A plain value, converted to the type of its field."""
    if key == "augment":
        return Augment.from_mapping(value or {})
    if key == "schedule":
        return Schedule.from_mapping({"name": value} if isinstance(value, str) else value)
    if key == "optimizer":
        value = {"name": value} if isinstance(value, str) else value
        if not isinstance(value, dict):
            raise UsageError(f"optimizer is a name, or a mapping with one, {{name: sgd, …}}. Received: {value!r}")
        return value
    if value is None and "None" in kind:
        return None
    if isinstance(value, str) and "str" not in kind:
        # YAML 1.1 reads 1e-4, which people write, as text.
        try:
            value = float(value)
        except ValueError:
            raise UsageError(f"{key} is a number. Received: {value!r}") from None
    if "int" in kind and isinstance(value, float) and value.is_integer():
        value = int(value)
    wanted, words = _WORDS[kind.split(maxsplit=1)[0]]
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise UsageError(f"{key} is {words}. Received: {value!r}")
    return float(value) if "float" in kind else value


def _plain(value: Any) -> Any:
    """Tuples as lists, which YAML knows."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _require(holds: bool, key: str, wanted: str, value: Any) -> None:
    if not holds:
        raise UsageError(f"{key} is {wanted}. Received: {value}")


def _choice(key: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        hint = did_you_mean(value, list(choices))
        raise UsageError(f"{key} is one of {', '.join(choices)}.{hint} Received: {value!r}")
