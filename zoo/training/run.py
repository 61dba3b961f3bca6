"""A run folder: the files of one training, each written whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.core import atomic, output
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import ModelSpec
from zoo.pretrained import keras_file

CONFIG = "config.yaml"


class Run:
    """The folder of one training. What cannot be written is an UnavailableError."""

    def __init__(self, folder: Path, command: str = "train") -> None:
        """``command`` resumes it, for error messages."""
        self.folder, self.command = folder, command
        self.model = folder / "model.keras"  #: The network of the best epoch so far.
        self.checkpoint = folder / "checkpoint.npz"
        self.network = folder / "network.yaml"  #: Its own copy of a network description in YAML.
        self.split = folder / "split.csv"
        self.history = folder / "history.csv"
        self.resume_hint = f"'zoo {command} --resume {folder}'"

    def create(self) -> None:
        """Make the folder."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def require_empty(self) -> None:
        """Check that nothing would be overwritten."""
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            hint = f", or resume it with {self.resume_hint}" if (self.folder / CONFIG).is_file() else ""
            raise UsageError(f"{self.folder} is not empty and is not overwritten; name another folder{hint}.")

    def read_config(self) -> dict[str, Any]:
        """Read ``config.yaml``."""
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

    def copy_network(self, spec: ModelSpec) -> None:
        """Copy the YAML description of a network, which may change later, if it has one; the copy has a ``name``."""
        import yaml

        from zoo.catalog import declarative
        from zoo.catalog.declarative import yaml_lines

        if not declarative.is_declarative(spec):
            return
        file = spec.arguments["network"]
        text = yaml_lines.read_text(file)
        if "name" not in (yaml_lines.parse(text, file).mapping or {}):
            mapping: Any = yaml.compose(text, Loader=yaml.SafeLoader)
            start = mapping.value[0][0].start_mark
            # In quotes, because a file may be called 7.yaml.
            entry = f'name: "{spec.name}"' + (", " if mapping.flow_style else "\n" + " " * start.column)
            text = text[: start.index] + entry + text[start.index :]
        self.write_text(self.network.name, text)

    def write_text(self, name: str, text: str) -> None:
        """Write one file atomically."""
        with output.opened(self.folder / name) as stream:
            stream.write(text)

    def write_model(self, network: Any, metadata: Mapping[str, Any]) -> None:
        """Save a network with its metadata; an earlier file stays until the new one is complete."""
        try:
            with atomic.replacing(self.model) as temporary:
                network.save(temporary)
                keras_file.write_metadata(temporary, metadata)
        except OSError as error:
            reason = error.strerror or " ".join(str(error).split())
            then = f"resume with {self.resume_hint}" if self.checkpoint.exists() else "start again"
            raise UnavailableError(f"{self.model} cannot be written ({reason}): make room, then {then}.") from error


def next_folder(name: str) -> Path:
    """The first folder of ``runs/NAME-1``, ``runs/NAME-2`` … that does not exist."""
    folders = (Path("runs") / f"{name}-{number}" for number in itertools.count(1))
    return next(folder for folder in folders if not folder.exists())


@contextlib.contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn an OSError into an UnavailableError that names the file."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror or error}.") from error
