"""Folders that hold weights under their official names: Keras's cache, zoo's, and read-only ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zoo.core import paths
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained.sources.source import Source, published


def _source(origin: str, folders: Callable[[], list[Path]], **fields: Any) -> Source:
    """A source that has published files in ``folders``."""

    def files(spec: ModelSpec, tag: str, has_top: bool) -> Iterator[tuple[Path, WeightFile]]:
        if file := published(spec, tag, has_top):
            for folder in folders():
                yield folder / file.file, file

    return Source(origin, files=files, folders=folders, **fields)


_CACHE = {
    "advice": "delete it, and 'zoo pull {model}' downloads it again",
    "stores_downloads": True,
    "removable": True,
}

#: ``$KERAS_HOME/models``.
KERAS = _source("keras", lambda: [paths.keras_home() / "models"], **_CACHE)

#: ``$ZOO_CACHE/weights``, for downloads if Keras's cache cannot be written.
ZOO = _source("zoo", lambda: [paths.cache_root() / "weights"], **_CACHE)

#: The read-only folders of ``$ZOO_CACHE_PATH``, and ``models/`` in each.
CACHE_PATH = _source(
    "root",
    lambda: [folder for root in paths.weight_roots() for folder in (root, root / "models")],
    advice="replace it there, or take its folder out of ZOO_CACHE_PATH",
)
