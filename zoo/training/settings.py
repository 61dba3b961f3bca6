"""The settings of a training as plain values: written to ``config.yaml``, and read from there by ``--resume``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from zoo._version import __version__
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.pretrained import keras_file
from zoo.training.run import CONFIG, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that decides the outcome of a training, except the machine; the keys of ``config.yaml`` in order."""

    model: str  #: A name, or the path of a YAML file.
    variables: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))  #: Of the network.
    input_size: tuple[int, int] | None = None  #: Height and width; default: the network's own.
    weights: str | None = None  #: Tag or file; default: random from scratch, the network's preferred for fine-tuning.
    dataset: str  #: A dataset, as :func:`zoo.data.dataset.read_for_training` takes it.
    #: Shares that are split off if the dataset has no such part; by default the dataset decides.
    val_split: float | None = None
    test_split: float = 0.0
    val_dir: str | None = None  #: A folder with validation images, if they are not in the dataset.
    seed: int = 0
    device: str = "auto"
    time_limit: float | None = None  #: Seconds after which the training ends; the learning rate is scheduled for it.
    tensorboard: bool = False
    teacher: str | None = None  #: A network that knows the classes, for knowledge distillation.
    check: bool = False  #: Whether to look for duplicates and leaks before the training.
    lr_find: bool = False  #: Whether to find the peak learning rate of each phase.
    invocation: str | None = None  #: The command as it was typed.
    recipe: Any  #: :class:`zoo.training.recipe.Recipe`, or that of fine-tuning.

    def __post_init__(self) -> None:
        """Check the range."""
        if self.time_limit is not None and self.time_limit <= 0:
            raise UsageError(f"The time limit of a training is above 0 seconds. Received: {self.time_limit:g}")

    def spec(self) -> ModelSpec:
        """The network with its variables and its input size."""
        if keras_file.is_file(self.model):
            raise UsageError(f"{self.model} is a trained network; 'zoo train' takes a name or a YAML file.")
        spec = registry.with_variables(registry.resolve(self.model)[0], self.variables)
        if self.input_size:
            height, width = self.input_size
            spec = replace(spec, resize=replace(spec.resize, height=height, width=width))
        return spec

    def as_dict(self) -> dict[str, Any]:
        """Plain values; paths are absolute, so that a run can be resumed from any folder."""
        variables = self.variables.items()
        return {
            "zoo_version": __version__,
            **{item.name: getattr(self, item.name) for item in fields(self)},
            "variables": {key: list(value) if isinstance(value, tuple) else value for key, value in variables},
            "input_size": list(self.input_size) if self.input_size else None,
            "dataset": os.path.abspath(self.dataset),
            "val_dir": os.path.abspath(self.val_dir) if self.val_dir else None,
            "recipe": self.recipe.as_dict(),
        }


def resumed(
    run: Run, read: Callable[..., Any], *, time_limit: float | None = None, device: str | None = None
) -> Settings:
    """The settings of a run that is resumed; ``read`` makes a recipe of its plain values."""
    config = run.read_config()
    if config.get("command", run.command) != run.command:
        raise UsageError(f"{run.folder} was started by 'zoo {config['command']}', which resumes it.")
    config |= {key: value for key, value in (("device", device), ("time_limit", time_limit)) if value is not None}
    if run.network.is_file():
        # The description may have changed since; the run has its own copy.
        config["model"] = str(run.network)
    where = str(run.folder / CONFIG)
    try:
        size = config["input_size"]
        ready = {item.name: config[item.name] for item in fields(Settings)} | {
            "variables": MappingProxyType(dict(config["variables"])),
            "input_size": (size[0], size[1]) if size else None,
            "recipe": read(config["recipe"], where=where),
        }
        return Settings(**ready)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise UsageError(f"{where} is not what zoo wrote: {type(error).__name__} at {error}.") from error
