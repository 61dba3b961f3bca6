"""A run folder: what a training leaves behind, each file written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.core import output
from zoo.core.errors import UnavailableError, UsageError
from zoo.data.sources.dataset import Dataset
from zoo.pretrained import keras_file

CONFIG = "config.yaml"
CHECKPOINT = "checkpoint.npz"


@dataclass(frozen=True, slots=True)
class Run:
    """The folder of one training; the paths of what is in it."""

    folder: Path
    #: What goes on with it, for sentences.
    command: str = "train"

    @property
    def model(self) -> Path:
        """The network of the best epoch so far: one file that every command takes."""
        return self.folder / "model.keras"

    @property
    def checkpoint(self) -> Path:
        """What the training needs to go on."""
        return self.folder / CHECKPOINT

    @property
    def network(self) -> Path:
        """The run's own copy of a network that was described in YAML."""
        return self.folder / "network.yaml"

    @property
    def split(self) -> Path:
        """Which image is in which part; a dataset of its own."""
        return self.folder / "split.csv"

    @property
    def history(self) -> Path:
        """A row an epoch."""
        return self.folder / "history.csv"

    def create(self) -> None:
        """Make the folder.

        Raises:
            UnavailableError: it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnavailableError(f"The folder {self.folder} cannot be made: {error.strerror or error}.") from error

    def require_empty(self) -> None:
        """Nothing is ever overwritten.

        Raises:
            UsageError: there is something in the folder already.
        """
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            resumes = (self.folder / CONFIG).is_file()
            hint = f", or go on with 'zoo {self.command} --resume {self.folder}'" if resumes else ""
            raise UsageError(f"{self.folder} is not empty and is not overwritten; name another folder{hint}.")

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write everything that is needed to repeat the training."""
        import yaml

        self.write_text(CONFIG, yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def read_config(self) -> dict[str, Any]:
        """What :meth:`write_config` wrote.

        Raises:
            UsageError: it is not there, or was damaged.
        """
        import yaml

        file = self.folder / CONFIG
        try:
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UsageError(f"{self.folder} is no run of zoo: it has no {CONFIG}.") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UsageError(f"{file} cannot be read: {' '.join(str(error).split())}.") from error
        if not isinstance(config, dict):
            raise UsageError(f"{file} is damaged: it is no mapping.")
        return config

    def write_split(self, dataset: Dataset) -> None:
        """Write which image is in which part.

        Raises:
            UnavailableError: it cannot be written.
        """
        try:
            dataset.write(self.split)
        except OSError as error:
            raise UnavailableError(f"{self.split} cannot be written: {error.strerror or error}.") from error

    def write_json(self, name: str, value: Any) -> None:
        """Write plain values, indented for people."""
        self.write_text(name, json.dumps(value, indent=1, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write one file atomically.

        Raises:
            UnavailableError: it cannot be written.
        """
        with output.opened(self.folder / name) as stream:
            stream.write(text)

    def write_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Replace what zoo knows of the network that is there.

        Raises:
            UnavailableError: it cannot be written.
        """
        try:
            keras_file.write_metadata(self.model, metadata)
        except OSError as error:
            raise UnavailableError(f"{self.model} cannot be written: {error.strerror or error}.") from error

    def write_model(self, network: Any, metadata: Mapping[str, Any]) -> None:
        """Save a network with what zoo knows of it; an earlier file stays until the new one is whole.

        Raises:
            UnavailableError: it cannot be written.
        """
        temporary = self.folder / f".part-{self.model.name}"
        try:
            network.save(temporary)
            keras_file.write_metadata(temporary, metadata)
            os.replace(temporary, self.model)
        except OSError as error:
            reason = error.strerror or " ".join(str(error).split())
            resumes = (
                f"'zoo {self.command} --resume {self.folder}' goes on" if self.checkpoint.exists() else "start again"
            )
            raise UnavailableError(f"{self.model} cannot be written ({reason}): make room, then {resumes}.") from error
        finally:
            temporary.unlink(missing_ok=True)


def next_folder(name: str, parent: Path | None = None) -> Path:
    """The first folder ``runs/NAME-1``, ``runs/NAME-2`` … that is not there."""
    parent = Path("runs") if parent is None else parent
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"
