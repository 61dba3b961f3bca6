"""What a training is asked to do, as plain values: written to ``config.yaml``, and read from there by ``--resume``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from zoo._version import __version__
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.pretrained import keras_file
from zoo.training.run import Run


class AnyRecipe(Protocol):
    """What recipes have in common."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """Plain values, of which it can be made again."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides the outcome of a training, except the machine."""

    #: A name, or the path of a YAML file.
    model: str
    #: A dataset, as :func:`zoo.data.sources.dataset.read` takes it.
    dataset: str
    #: A recipe of the command: :class:`~zoo.training.recipe.Recipe`, or that of fine-tuning.
    recipe: AnyRecipe
    seed: int = 0
    #: Shares that are split off where the dataset has no such part; ``None`` lets the dataset decide.
    val_split: float | None = None
    test_split: float = 0.0
    #: A folder with images to validate with, where they are not in the dataset.
    val_dir: str | None = None
    #: Variables of the network, such as its width.
    variables: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    #: Height and width, where they are not the network's own.
    input_size: tuple[int, int] | None = None
    #: Tag or file of weights to begin with. Without, training from scratch takes random ones, and fine-tuning those
    #: that the network prefers.
    weights: str | None = None
    device: str = "auto"
    #: Seconds after which the training ends, its learning rate having come down by then; ``None`` for no limit.
    time_limit: float | None = None
    tensorboard: bool = False
    #: A network that knows the classes and is learnt from.
    teacher: str | None = None
    #: Whether duplicates and leaks are looked for before the training.
    check: bool = False
    #: Whether the learning rate of each phase is looked for before it.
    lr_find: bool = False
    #: The command, as it was typed.
    invocation: str | None = None

    def __post_init__(self) -> None:
        """Check the range.

        Raises:
            UsageError: the time is not above 0.
        """
        if self.time_limit is not None and self.time_limit <= 0:
            raise UsageError(f"The time for a training is above 0 seconds. Received: {self.time_limit:g}")

    def spec(self) -> ModelSpec:
        """The network with its variables and its input size.

        Raises:
            UsageError: there is no such network, it is a finished one, or it has no such variable.
        """
        if keras_file.is_file(self.model):
            raise UsageError(f"{self.model} is a finished network; 'zoo train' takes a name or a YAML file.")
        spec = registry.with_variables(registry.resolve(self.model)[0], self.variables)
        if self.input_size:
            height, width = self.input_size
            spec = replace(spec, resize=replace(spec.resize, height=height, width=width))
        return spec

    def as_dict(self) -> dict[str, Any]:
        """Plain values, in the order in which people want to read them."""
        return {
            "zoo_version": __version__,
            "model": self.model,
            "variables": {
                key: list(value) if isinstance(value, tuple) else value for key, value in self.variables.items()
            },
            "input_size": list(self.input_size) if self.input_size else None,
            "weights": self.weights,
            # Absolute, so that the run can be gone on with, and its split read, from any folder.
            "dataset": os.path.abspath(self.dataset),
            "val_split": self.val_split,
            "test_split": self.test_split,
            "val_dir": os.path.abspath(self.val_dir) if self.val_dir else None,
            "seed": self.seed,
            "device": self.device,
            "time_limit": self.time_limit,
            "tensorboard": self.tensorboard,
            "teacher": self.teacher,
            "check": self.check,
            "lr_find": self.lr_find,
            "invocation": self.invocation,
            "recipe": self.recipe.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], read: Callable[..., AnyRecipe], *, where: str) -> Settings:
        """What :meth:`as_dict` gave; ``read`` makes a recipe of its plain values.

        Raises:
            UsageError: a key is missing or makes no sense; the sentence begins with ``where``.
        """
        try:
            size = values["input_size"]
            return cls(
                model=values["model"],
                dataset=values["dataset"],
                recipe=read(values["recipe"], where=where),
                seed=values["seed"],
                val_split=values["val_split"],
                test_split=values["test_split"],
                val_dir=values["val_dir"],
                variables=MappingProxyType(dict(values["variables"])),
                input_size=(size[0], size[1]) if size else None,
                weights=values["weights"],
                device=values["device"],
                time_limit=values["time_limit"],
                tensorboard=values["tensorboard"],
                teacher=values["teacher"],
                check=values["check"],
                lr_find=values["lr_find"],
                invocation=values["invocation"],
            )
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise UsageError(f"{where} is not what zoo wrote: {type(error).__name__} at {error}.") from error


def resumed(
    run: Run, read: Callable[..., AnyRecipe], *, time_limit: float | None = None, device: str | None = None
) -> Settings:
    """The settings of a run that is gone on with.

    Args:
        run: its folder, and the command that goes on with it.
        read: makes a recipe of its plain values.
        time_limit: seconds for the training as a whole; as it was without.
        device: where it goes on; where it was without.

    Raises:
        UsageError: it is no run, or was begun by another command.
    """
    config = run.read_config()
    if config.get("command", run.command) != run.command:
        raise UsageError(f"{run.folder} was begun by 'zoo {config['command']}', which goes on with it.")
    config |= {key: value for key, value in (("device", device), ("time_limit", time_limit)) if value is not None}
    if run.network.is_file():
        # The description may have changed since; the run has its own copy.
        config["model"] = str(run.network)
    return Settings.from_dict(config, read, where=str(run.folder / "config.yaml"))
