"""Where zoo's own files are: the data it ships, and the folders it may write to."""

from __future__ import annotations

import os
from pathlib import Path


def shipped(*parts: str) -> Path:
    """Path of a file that ships with zoo, e.g. ``shipped("configs", "catalogue")``.

    ``configs/`` and ``weights/`` stand beside the package in a checkout and inside it once installed.
    """
    package = Path(__file__).parents[1]
    inside = package.joinpath(*parts)
    return inside if inside.exists() else package.parent.joinpath(*parts)


def cache_root() -> Path:
    """Folder for what zoo makes itself: ``$ZOO_CACHE``, else the platform's cache folder, ``zoo/``."""
    chosen = os.environ.get("ZOO_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    # Imported here because most commands never come this way, and start-up is measured.
    from platformdirs import user_cache_path

    return user_cache_path("zoo", appauthor=False)


def keras_home() -> Path:
    """Keras's own folder: ``$KERAS_HOME``, else ``~/.keras``. Weights are in its ``models/``."""
    chosen = os.environ.get("KERAS_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".keras"


def weight_roots() -> list[Path]:
    """Further folders that may hold weights, from ``$ZOO_CACHE_PATH``; they are only ever read."""
    parts = os.environ.get("ZOO_CACHE_PATH", "").split(os.pathsep)
    return [Path(part).expanduser().absolute() for part in parts if part]


def config_roots() -> list[Path]:
    """Folders with a person's own networks and recipes, from ``$ZOO_CONFIG_PATH``; the first one wins."""
    parts = os.environ.get("ZOO_CONFIG_PATH", "").split(os.pathsep)
    return [Path(part).expanduser().absolute() for part in parts if part]


def is_offline() -> bool:
    """Whether ``ZOO_OFFLINE`` forbids the network."""
    return os.environ.get("ZOO_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")
