"""Weights imported with ``zoo cache import``: a file and its record in ``$ZOO_CACHE/weights/MODEL``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from zoo.core import paths
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained.sources.source import Source


def record_file(model: str, tag: str, has_top: bool) -> Path:
    """The record of an imported file; the file itself lies beside it."""
    return paths.cache_root() / "weights" / model / f"{tag}{'' if has_top else '-notop'}.json"


def read_record(record: Path) -> tuple[Path, WeightFile] | None:
    """The file that a record names and its digest; ``None`` if the record cannot be read."""
    try:
        about = json.loads(record.read_text(encoding="utf-8"))
        path = record.parent / Path(about["file"]).name
        return path, WeightFile(path.name, sha256=about["sha256"], bytes=about["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def records(folder: Path) -> list[Path]:
    """The records in a folder."""
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def _files(spec: ModelSpec, tag: str, has_top: bool) -> Iterator[tuple[Path, WeightFile]]:
    if found := read_record(record_file(spec.name, tag, has_top)):
        yield found


def _tags(model: str) -> list[str]:
    return [record.stem.removesuffix("-notop") for record in records(paths.cache_root() / "weights" / model)]


IMPORTED = Source(
    "imported",
    files=_files,
    tags=_tags,
    records=lambda model, tag, has_top: [record_file(model, tag, has_top)],
    advice="import it again with 'zoo cache import FILE --as {model}'",
    removable=True,
)
