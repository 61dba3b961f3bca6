"""A trained network as one ``.keras`` file that plain Keras opens.

What Keras does not store (class names, the resize policy, licence, metrics) is in one more member of the archive,
``zoo.json``, which plain Keras ignores. Nothing here imports Keras or runs what a file says.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zoo.core import atomic
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import ModelSpec, Preprocessing, Resize, Weights

MEMBER = "zoo.json"

#: What is done to pixels for a network of one channel: its grey, on the scale 0-255.
GREY = Preprocessing("grey", order="grey", mean=(0.0,), std=(1.0,))


def is_file(name: str | os.PathLike[str]) -> bool:
    """Whether a model name means a file, and not an entry of the registry."""
    return str(name).endswith(".keras")


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What ``zoo.json`` says; empty for a file that plain Keras wrote.

    Raises:
        UsageError: there is no such file, or it is not a Keras archive.
    """
    return _read(Path(path))[0]


def read_spec(path: str | os.PathLike[str]) -> ModelSpec:
    """The spec of a network in a file. Without ``zoo.json`` its classes are numbers, and it takes pixels 0-255.

    A network with one input channel gets RGB images converted to grey.

    Raises:
        UsageError: there is no such file, it is not a Keras archive, or it takes no images of a fixed size.
    """
    file = Path(path)
    about, config = _read(file)
    shape, classes = _input_shape(config), about.get("classes")
    if shape is None or len(shape) != 3 or shape[2] not in (1, 3):
        seen = "no single input" if shape is None else f"an input of shape {tuple(shape)}"
        raise UsageError(f"{file} has {seen}; zoo runs networks that take images, (height, width, 3) or 1 for grey.")
    height, width = about.get("input_size") or shape[:2]
    if not height or not width:
        raise UsageError(f"{file} takes images of any size; save it with a fixed input size, such as 224.")
    labels = tuple(classes) if classes else ()
    weights = Weights(
        tag="file",
        labels=labels,
        trained_on=about.get("trained_on", "unknown"),
        licence=about.get("licence"),
    )
    return ModelSpec(
        name=file.name.removesuffix(".keras"),
        family="file",
        builder="keras.saving:load_model",
        file=str(file.absolute()),
        resize=Resize(height, width, **about.get("resize", {})),
        preprocessing=Preprocessing("none") if shape[2] == 3 else GREY,
        classes=len(labels),
        weights=MappingProxyType({"file": weights}),
    )


def temperature(path: str | os.PathLike[str]) -> float:
    """The calibration temperature of a network in a file; 1 if none is stored.

    Raises:
        UsageError: there is no such file, it is not a Keras archive, or its temperature is no positive number.
    """
    value = read_metadata(path).get("temperature", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UsageError(f"{path} has the temperature {value!r}; it is a number above 0, in its {MEMBER}.")
    return float(value)


def store_temperature(path: str | os.PathLike[str], value: float) -> None:
    """Write a calibration temperature into ``zoo.json``; atomic.

    Raises:
        UsageError: there is no such file, or it is not a Keras archive.
        UnavailableError: it cannot be written.
    """
    try:
        write_metadata(path, {**read_metadata(path), "temperature": value})
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror or error}.") from error


def fingerprint(path: str | os.PathLike[str]) -> str:
    """sha256 over the checksums of what Keras wrote into a file; ``zoo.json`` is left out.

    So a change of the metadata, such as the accuracy, does not make it another network. Keras also writes the time of
    saving, so that no two networks are the same.

    Raises:
        UsageError: there is no such file, or it is not a Keras archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = sorted((part.filename, part.CRC, part.file_size) for part in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise UsageError(f"{path} is not a file that Keras saved (model.save('name.keras')): {error}.") from error
    text = json.dumps([part for part in parts if part[0] != MEMBER])
    return hashlib.sha256(text.encode()).hexdigest()


def write_metadata(path: str | os.PathLike[str], metadata: Mapping[str, Any]) -> None:
    """Put ``zoo.json`` into a ``.keras`` file, replacing an earlier one; atomic.

    Raises:
        UsageError: there is no such file, or it is not a Keras archive.
    """
    file = Path(path)
    _read(file)
    with (
        atomic.replacing(file) as temporary,
        zipfile.ZipFile(file) as old,
        zipfile.ZipFile(temporary, "w") as new,
    ):
        for item in old.infolist():
            if item.filename != MEMBER:
                with old.open(item) as source, new.open(item, "w") as target:
                    shutil.copyfileobj(source, target)
        new.writestr(MEMBER, json.dumps(metadata, indent=1, ensure_ascii=False))


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The contents of ``zoo.json`` and of Keras's ``config.json``."""
    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
            about = json.loads(archive.read(MEMBER)) if MEMBER in archive.namelist() else {}
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise UsageError(f"{file} is not a file that Keras saved (model.save('name.keras')): {error}.") from error
    if not isinstance(config, dict) or not isinstance(about, dict):
        raise UsageError(f"{file} is not a file that Keras saved: its config.json is no mapping.")
    return about, config


def _input_shape(config: dict[str, Any]) -> list[int | None] | None:
    """Height, width and channels as the file states them; ``None`` unless there is a single input."""
    layers = config.get("config", {}).get("layers", [])
    shapes = [layer["config"].get("batch_shape") for layer in layers if layer.get("class_name") == "InputLayer"]
    if not shapes and (built := config.get("build_config", {}).get("input_shape")):
        shapes = [built]
    if len(shapes) != 1 or not isinstance(shapes[0], list):
        return None
    return shapes[0][1:]
