"""Where the weights of a network are: found on disk, or fetched into Keras's own cache.

Files are looked for in this order: those that ship with zoo; those imported by hand
(``$ZOO_CACHE/weights/MODEL/TAG.json`` names the file); Keras's cache (``$KERAS_HOME/models``); zoo's own
(``$ZOO_CACHE/weights``), which stands in where Keras's cannot be written; and the folders of
``$ZOO_CACHE_PATH``. Finding costs a few calls of ``stat`` and imports nothing.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoo.core import paths
from zoo.core.errors import UsageError, WeightsError
from zoo.core.paths import is_offline
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained import digests
from zoo.pretrained.http import Progress

__all__ = ["Found", "Origin", "Progress", "fetch", "find", "is_offline", "record_file"]

#: Who put a file where it is: zoo's package, a person, Keras's cache, zoo's stand-in for it, a read-only folder.
Origin = Literal["shipped", "imported", "keras", "zoo", "root"]

#: The tag of weights of a network for which no weights are published.
DEFAULT_TAG = "imagenet"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of weights on disk. ``file`` is what is known of it: digests, size, address."""

    path: Path
    origin: Origin
    has_top: bool
    spec: ModelSpec
    tag: str
    file: WeightFile


def find(spec: ModelSpec, tag: str | None = None, *, include_top: bool = True) -> Found | None:
    """The weights of a network, if they are on disk; nothing is read or checked.

    Args:
        spec: the network.
        tag: which weights; the preferred ones without.
        include_top: whether the classifier is needed. Without it, a file that has it is returned where there
            is no other; its reader then skips the classifier.
    """
    tag = tag or default_tag(spec)
    for has_top in (True,) if include_top else (False, True):
        for path, origin, file in places(spec, tag, has_top):
            if path.is_file():
                return Found(path, origin, has_top, spec, tag, file)
    return None


def fetch(
    spec: ModelSpec,
    tag: str | None = None,
    *,
    include_top: bool = True,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> Found:
    """The weights of a network, downloaded if they are not on disk, and verified if they are new.

    Args:
        spec: the network.
        tag: which weights; the preferred ones without.
        include_top: as for :func:`find`.
        offline: never touch the network; what ``ZOO_OFFLINE`` says without.
        progress: called with the file's name, its bytes so far and its bytes in all.

    Raises:
        UsageError: the network has no weights of that tag.
        WeightsError: they cannot be found, fetched or trusted.
    """
    tag = tag or default_tag(spec)
    found = find(spec, tag, include_top=include_top)
    if found is None:
        file, has_top = _wanted(spec, tag, include_top)
        forbidden = is_offline() if offline is None else offline
        found = _download(spec, tag, file, has_top=has_top, offline=forbidden, progress=progress)
    digests.verify(found.path, found.file, advice=advice(found.origin, found.spec.name))
    return found


def mirrors() -> list[str]:
    """The addresses of ``ZOO_WEIGHTS_MIRROR``, separated there by spaces; each is asked before the official one.

    Raises:
        UsageError: one of them is no HTTP address.
    """
    addresses = os.environ.get("ZOO_WEIGHTS_MIRROR", "").split()
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            raise UsageError(f"ZOO_WEIGHTS_MIRROR takes addresses that begin with http:// or https://, not {address}.")
    return [address.rstrip("/") for address in addresses]


def default_tag(spec: ModelSpec) -> str:
    """The tag of the preferred weights."""
    return next(iter(spec.weights), DEFAULT_TAG)


def published(spec: ModelSpec, tag: str, has_top: bool) -> WeightFile | None:
    """What the registry says of a file; ``None`` where nothing is published."""
    weights = spec.weights.get(tag)
    if weights is None:
        return None
    return weights.top if has_top else weights.no_top


def places(spec: ModelSpec, tag: str, has_top: bool) -> Iterator[tuple[Path, Origin, WeightFile]]:
    """Every path where a file may be, in the order in which they are tried."""
    file = published(spec, tag, has_top)
    if file and file.shipped:
        yield paths.shipped("weights", file.shipped), "shipped", file
    imported = read_record(record_file(spec.name, tag, has_top))
    if imported:
        yield imported[0], "imported", imported[1]
    if file:
        for origin, folder in folders():
            yield folder / file.file, origin, file


def folders() -> list[tuple[Origin, Path]]:
    """Folders that hold files under their official names."""
    roots = paths.weight_roots()
    return [
        ("keras", paths.keras_home() / "models"),
        ("zoo", paths.cache_root() / "weights"),
        *(("root", folder) for root in roots for folder in (root, root / "models")),
    ]


def record_file(model: str, tag: str, has_top: bool) -> Path:
    """The record of a file imported by hand; the file itself lies beside it."""
    return paths.cache_root() / "weights" / model / f"{tag}{'' if has_top else '-notop'}.json"


def read_record(record: Path) -> tuple[Path, WeightFile] | None:
    """The file that a record names and what is known of it; ``None`` where the record cannot be read."""
    try:
        about = json.loads(record.read_text(encoding="utf-8"))
        path = record.parent / Path(about["file"]).name
        return path, WeightFile(path.name, sha256=about["sha256"], bytes=about["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def advice(origin: Origin, model: str) -> str:
    """What to do with a file that is not what it should be, as the end of a sentence."""
    if origin in ("keras", "zoo"):
        return f"delete it, and 'zoo pull {model}' fetches it again"
    if origin == "imported":
        return f"import it again with 'zoo cache import FILE --as {model}'"
    if origin == "shipped":
        return "install zoo again"
    return "replace it there, or take its folder out of ZOO_CACHE_PATH"


def target_folder() -> tuple[Origin, Path]:
    """Where a new file under its official name goes: Keras's cache, or zoo's own where that is read-only.

    Raises:
        WeightsError: neither can be written.
    """
    from zoo.pretrained import download

    candidates: list[tuple[Origin, Path]] = [
        ("keras", paths.keras_home() / "models"),
        ("zoo", paths.cache_root() / "weights"),
    ]
    for origin, folder in candidates:
        if download.writable(folder):
            return origin, folder
        log.info("%s cannot be written", folder)
    raise WeightsError(
        f"Neither {candidates[0][1]} nor {candidates[1][1]} can be written; "
        "set KERAS_HOME or ZOO_CACHE to a folder that can."
    )


def _wanted(spec: ModelSpec, tag: str, include_top: bool) -> tuple[WeightFile, bool]:
    """The published file that serves best, and whether it has the classifier."""
    if tag not in spec.weights:
        known = ", ".join(spec.weights)
        if known:
            raise UsageError(f"{spec.name} has no weights '{tag}'. Its weights: {known}.")
        raise WeightsError(
            f"No weights are published for {spec.name}; "
            f"bring a file by hand with 'zoo cache import FILE --as {spec.name}', or train it."
        )
    for has_top in (True,) if include_top else (False, True):
        file = published(spec, tag, has_top)
        if file:
            return file, has_top
    raise WeightsError(
        f"The weights '{tag}' of {spec.name} come without a classifier; "
        f"bring a file that has one with 'zoo cache import FILE --as {spec.name}'."
    )


def _download(
    spec: ModelSpec, tag: str, file: WeightFile, *, has_top: bool, offline: bool, progress: Progress | None
) -> Found:
    """Fetch a published file into Keras's cache."""
    by_hand = f"'zoo cache import {file.file} --as {spec.name}'"
    if offline:
        looked = ", ".join(str(folder) for _, folder in folders())
        raise WeightsError(
            f"The weights of {spec.name} ({file.file}) are not in {looked}, and zoo is offline; "
            f"run 'zoo pull {spec.name}' where there is a network, or bring the file by hand with {by_hand}."
        )
    urls = [f"{mirror}/{file.file}" for mirror in mirrors()] + ([file.url] if file.url else [])
    if not urls:
        raise WeightsError(
            f"No address is known for the weights of {spec.name} ({file.file}); "
            f"name a mirror in ZOO_WEIGHTS_MIRROR, or bring the file by hand with {by_hand}."
        )
    # Imported here because a network whose weights are on disk needs none of it.
    from zoo.pretrained import download

    origin, folder = target_folder()
    target = folder / file.file
    try:
        download.download(urls, target, file, progress=progress)
    except WeightsError as error:
        sentence = str(error).rstrip(".")
        raise WeightsError(f"{sentence}; bring the file by hand with {by_hand}, or try again.") from error
    return Found(target, origin, has_top, spec, tag, file)
