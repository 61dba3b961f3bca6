"""The content of the caches: list, check and prune it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.catalog import registry
from zoo.core import artifacts, paths
from zoo.core.errors import WeightsError
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained import digests, download
from zoo.pretrained import weights as pretrained
from zoo.pretrained.http import PART, STATE
from zoo.pretrained.sources import SOURCES, Source, imported

#: Why something is removed.
_REASONS: dict[artifacts.Kind, str] = {
    "compiled": "a compiled network",
    "features": "features of images",
    "neighbours": "an index of neighbours",
}


@dataclass(frozen=True, slots=True)
class CachedFile:
    """One weight file. ``verified``: whether its digest was found to be right, and it has not changed since."""

    path: Path
    bytes: int
    source: Source
    model: str
    tag: str
    has_top: bool
    verified: bool
    file: WeightFile


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder to remove, and why."""

    path: Path
    bytes: int
    reason: str


def cached(models: Iterable[ModelSpec] | None = None) -> list[CachedFile]:
    """Every known weight file, or those of ``models``; one that several networks share is listed under the first."""
    seen: dict[Path, CachedFile] = {}
    for spec in registry.list_models() if models is None else models:
        others = [tag for source in SOURCES.values() for tag in source.tags(spec.name)]
        for tag in dict.fromkeys((*spec.weights, *others)):
            for has_top in (True, False):
                for path, source, file in pretrained.places(spec, tag, has_top):
                    if path not in seen and path.is_file():
                        known = digests.known(path)
                        verified = known is not None and digests.compare(known, file) is None
                        size = path.stat().st_size
                        seen[path] = CachedFile(path, size, source, spec.name, tag, has_top, verified, file)
    return list(seen.values())


def rows() -> list[dict[str, Any]]:
    """What is cached, as plain values: weights, then zoo's own results."""
    weights = [
        {
            "model": entry.model,
            "tag": entry.tag,
            "kind": "weights" if entry.has_top else "weights without top",
            "bytes": entry.bytes,
            "origin": entry.source.origin,
            "verified": entry.verified,
            "content": None,
            "path": str(entry.path),
        }
        for entry in cached()
    ]
    results = [
        {
            "model": entry.model,
            "tag": None,
            "kind": kind,
            "bytes": entry.bytes,
            "origin": "zoo",
            "verified": None,
            "content": entry.content or None,
            "path": str(entry.folder),
        }
        for kind in artifacts.KINDS
        for entry in artifacts.entries(kind)
    ]
    return [*weights, *results]


def check_all(models: Iterable[ModelSpec] | None = None) -> Iterator[tuple[CachedFile, str | None]]:
    """Read every known weight file again and compare its digests; yields each with what is wrong, or ``None``."""
    for entry in cached(models):
        try:
            digests.verify(entry.path, entry.file, advice=entry.source.advice.format(model=entry.model), again=True)
        except WeightsError as error:
            yield entry, str(error)
        else:
            yield entry, None


def prune(
    models: Iterable[ModelSpec] = (),
    *,
    kinds: Iterable[artifacts.Kind] = (),
    dry_run: bool = False,
    older_than: float = 86_400.0,
) -> list[Leftover]:
    """Remove what zoo left over, and the weights of ``models``; returns what is removed.

    Left over are interrupted downloads, imports whose record or file is missing, digests of missing files, and
    unfinished work folders. Nothing is removed from read-only folders.

    Args:
        models: networks whose weights are removed too, from Keras's cache as well.
        kinds: kinds of results to remove as well; they are computed again when they are needed.
        dry_run: only return what would be removed.
        older_than: seconds for which an interrupted download or import is kept.

    Raises:
        WeightsError: something cannot be removed.
    """
    leftovers = (
        *_named(models),
        *_interrupted(older_than),
        *_broken_imports(older_than),
        *(_leftover(record, "the digest of a file that is gone") for record in digests.orphans()),
        *_unfinished(),
        *(Leftover(one.folder, one.bytes, _REASONS[kind]) for kind in kinds for one in artifacts.entries(kind)),
    )
    found = {one.path: one for one in leftovers}
    if not dry_run:
        for one in found.values():
            try:
                if one.path.is_dir():
                    shutil.rmtree(one.path)
                else:
                    one.path.unlink(missing_ok=True)
            except OSError as error:
                raise WeightsError(f"{one.path} cannot be removed: {error.strerror or error}.") from error
    return list(found.values())


def _named(models: Iterable[ModelSpec]) -> Iterator[Leftover]:
    """Weights of networks that were named, with their records."""
    for entry in cached(list(models)):
        if entry.source.removable:
            reason = f"weights of {entry.model}, asked for by name"
            yield Leftover(entry.path, entry.bytes, reason)
            for record in entry.source.records(entry.model, entry.tag, entry.has_top):
                yield _leftover(record, reason)


def _interrupted(older_than: float) -> Iterator[Leftover]:
    """Interrupted downloads and imports, and locks that no process holds."""
    limit = time.time() - older_than
    weights = paths.cache_root() / "weights"
    for folder in (paths.keras_home() / "models", weights, *(path for path in weights.glob("*") if path.is_dir())):
        for path in sorted(folder.glob("*.zoo.*")):
            target = path
            for suffix in (STATE, PART, download.LOCK):
                target = path.with_name(target.name.removesuffix(suffix))
            if path.stat().st_mtime < limit and not download.is_busy(target):
                yield _leftover(path, "an interrupted download or import")


def _broken_imports(older_than: float) -> Iterator[Leftover]:
    """Records without a file, and imported files without a record, unless they are new."""
    limit = time.time() - older_than
    for folder in (paths.cache_root() / "weights").glob("*/"):
        named = set()
        for record in imported.records(folder):
            found = imported.read_record(record)
            if found is None or not found[0].is_file():
                yield _leftover(record, "the record of an import whose file is gone")
            else:
                named.add(found[0])
        for path in sorted(folder.glob("*.h5")):
            if path not in named and not path.name.startswith(".") and path.stat().st_mtime < limit:
                yield _leftover(path, "an imported file without a record")


def _unfinished() -> Iterator[Leftover]:
    """Work folders of compilations and features that never ended."""
    for kind in artifacts.KINDS:
        for folder in artifacts.leftovers(kind):
            yield Leftover(folder, artifacts.size(folder), f"a work folder, begun and never finished ({kind})")


def _leftover(path: Path, reason: str) -> Leftover:
    return Leftover(path, path.stat().st_size, reason)
