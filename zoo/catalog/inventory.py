"""What is in the caches: weights, compiled networks, features. List it, check it, clear away what is left over."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.catalog import registry
from zoo.core import artifacts, paths
from zoo.core.errors import WeightsError
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained import digests, download
from zoo.pretrained import weights as pretrained
from zoo.pretrained.http import PART, STATE
from zoo.pretrained.sources import SOURCES, Source, imported

#: What is said of results that are to go.
_REASONS: dict[artifacts.Kind, str] = {
    "compiled": "a compiled network",
    "features": "features of images",
    "neighbours": "an index of neighbours",
}


@dataclass(frozen=True, slots=True)
class CachedFile:
    """One file of weights. ``verified``: whether it was found to be right and has not changed since."""

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
    """A file or folder that may go: ``reason`` says why."""

    path: Path
    bytes: int
    reason: str


def cached(models: Iterable[ModelSpec] | None = None) -> list[CachedFile]:
    """Every known file of weights in every root, by network; those of ``models`` only where they are given.

    A file that serves several networks is listed once, under the first.
    """
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


def check_all(models: Iterable[ModelSpec] | None = None) -> Iterator[tuple[CachedFile, str | None]]:
    """Read every known file again and compare its digests; yields each with what is wrong, or ``None``."""
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
    """Remove what zoo itself left over, and the weights of ``models``; returns what went, or would go.

    Left over are downloads that nothing continues, imports whose record or file is gone, records of files that are
    gone, and work folders of what never ended. Whole files go only for networks that are named, and never from
    read-only folders.

    Args:
        models: networks whose weights go too, from Keras's cache as well.
        kinds: of what zoo computed, everything of these kinds goes too; it is computed again when it is needed.
        dry_run: only say what would go.
        older_than: seconds for which an interrupted download or import is kept.

    Raises:
        WeightsError: something cannot be removed.
    """
    gone = (
        *_asked(models),
        *_interrupted(older_than),
        *_broken_imports(older_than),
        *_orphans(),
        *_unfinished(),
        *(Leftover(one.folder, one.bytes, _REASONS[kind]) for kind in kinds for one in artifacts.entries(kind)),
    )
    found = {one.path: one for one in gone}
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


def _asked(models: Iterable[ModelSpec]) -> Iterator[Leftover]:
    """Files of networks that were named, with the records of those that were imported."""
    for entry in cached(list(models)):
        if entry.source.removable:
            reason = f"weights of {entry.model}, asked for by name"
            yield Leftover(entry.path, entry.bytes, reason)
            for record in entry.source.records(entry.model, entry.tag, entry.has_top):
                yield _leftover(record, reason)


def _interrupted(older_than: float) -> Iterator[Leftover]:
    """Downloads and imports that ended half-way, and locks that nobody holds."""
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
    """Records without a file, and imported files that no record names; a new one may still get its record."""
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


def _orphans() -> Iterator[Leftover]:
    for record in digests.orphans():
        yield _leftover(record, "the digest of a file that is gone")


def _unfinished() -> Iterator[Leftover]:
    """Work folders of compilations and features that never ended."""
    for kind in artifacts.KINDS:
        for folder in artifacts.leftovers(kind):
            yield Leftover(folder, artifacts.size(folder), f"a work folder, begun and never finished ({kind})")


def _leftover(path: Path, reason: str) -> Leftover:
    return Leftover(path, path.stat().st_size, reason)
