"""Where zoo's files are: the data it ships, and the folders it may read and write."""

from __future__ import annotations

import os
from pathlib import Path


def shipped(*parts: str) -> Path:
    """Path of a file in ``configs/`` or ``weights/``: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).parents[1]
    inside = package.joinpath(*parts)
    return inside if inside.exists() else package.parent.joinpath(*parts)


def cache_root() -> Path:
    """Folder for zoo's own results: ``$ZOO_CACHE``. Default: ``zoo/`` in the platform's cache folder."""
    chosen = os.environ.get("ZOO_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    # Imported here because most commands do not need it.
    from platformdirs import user_cache_path

    return user_cache_path("zoo", appauthor=False)


def keras_home() -> Path:
    """Keras's folder: ``$KERAS_HOME``. Default: ``~/.keras``. Weights are in its ``models/``."""
    chosen = os.environ.get("KERAS_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".keras"


def weight_roots() -> list[Path]:
    """Further folders with weights, from ``$ZOO_CACHE_PATH``; they are only read."""
    return _folders("ZOO_CACHE_PATH")


def config_roots() -> list[Path]:
    """Folders with the user's networks and recipes, from ``$ZOO_CONFIG_PATH``; the first one wins."""
    return _folders("ZOO_CONFIG_PATH")


def _folders(variable: str) -> list[Path]:
    parts = os.environ.get(variable, "").split(os.pathsep)
    return [Path(part).expanduser().absolute() for part in parts if part]


def is_offline() -> bool:
    """Whether ``ZOO_OFFLINE`` forbids the network."""
    return os.environ.get("ZOO_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
