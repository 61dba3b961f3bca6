"""Weights that are installed with zoo, below the shipped ``weights/`` folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zoo.core import paths
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained.sources.source import Source, published


def _files(spec: ModelSpec, tag: str, has_top: bool) -> Iterator[tuple[Path, WeightFile]]:
    file = published(spec, tag, has_top)
    if file and file.shipped:
        yield paths.shipped("weights", file.shipped), file


SHIPPED = Source("shipped", files=_files, advice="install zoo again")
