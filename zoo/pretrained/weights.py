"""Weights of a network: found on this machine, or downloaded into Keras's cache.

:data:`zoo.pretrained.sources.SOURCES` lists where files are looked for, in order. Finding costs a few calls of ``stat``
and imports nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zoo.core.errors import UsageError, WeightsError
from zoo.core.paths import is_offline
from zoo.core.spec import ModelSpec, WeightFile
from zoo.pretrained import digests
from zoo.pretrained.http import Progress
from zoo.pretrained.sources import SOURCES, Source
from zoo.pretrained.sources.source import published

__all__ = ["LocalWeights", "Progress", "fetch", "find", "is_offline"]

#: The tag of weights of a network that has no published weights.
DEFAULT_TAG = "imagenet"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalWeights:
    """A weight file on this machine. ``file`` is what is known of it: digests, size, address."""

    path: Path
    #: The source it comes from.
    origin: str
    has_top: bool
    spec: ModelSpec
    tag: str
    file: WeightFile


def find(spec: ModelSpec, tag: str | None = None, *, include_top: bool = True) -> LocalWeights | None:
    """The weights of a network, if they are on this machine; nothing is read or checked.

    Args:
        spec: the network.
        tag: which weights; the preferred ones if omitted.
        include_top: whether the classifier is needed. If not, a file with the classifier is returned only if there
            is no other; its reader then skips the classifier.
    """
    tag = tag or default_tag(spec)
    for has_top in (True,) if include_top else (False, True):
        for path, source, file in places(spec, tag, has_top):
            if path.is_file():
                return LocalWeights(path, source.origin, has_top, spec, tag, file)
    return None


def fetch(
    spec: ModelSpec,
    tag: str | None = None,
    *,
    include_top: bool = True,
    offline: bool | None = None,
    progress: Progress | None = None,
) -> LocalWeights:
    """The weights of a network, downloaded if they are not on this machine, and verified if they are new.

    Args:
        spec: the network.
        tag: which weights; the preferred ones if omitted.
        include_top: as for :func:`find`.
        offline: never use the network; ``$ZOO_OFFLINE`` decides if omitted.
        progress: called with the file's name, its bytes so far and its bytes in all.

    Raises:
        UsageError: the network has no weights of that tag.
        WeightsError: they cannot be found, downloaded or trusted.
    """
    tag = tag or default_tag(spec)
    found = find(spec, tag, include_top=include_top)
    if found is None:
        file, has_top = _wanted(spec, tag, include_top)
        source, path = _download(spec, file, is_offline() if offline is None else offline, progress)
        found = LocalWeights(path, source.origin, has_top, spec, tag, file)
    digests.verify(found.path, found.file, advice=SOURCES[found.origin].advice.format(model=spec.name))
    return found


def default_tag(spec: ModelSpec) -> str:
    """The tag of the preferred weights."""
    return next(iter(spec.weights), DEFAULT_TAG)


def places(spec: ModelSpec, tag: str, has_top: bool) -> Iterator[tuple[Path, Source, WeightFile]]:
    """Every path where a file may be, in the order in which they are tried."""
    for source in SOURCES.values():
        for path, file in source.files(spec, tag, has_top):
            yield path, source, file


def download_target() -> tuple[Source, Path]:
    """The source that stores downloads and its folder: Keras's cache, or zoo's own if that is read-only.

    Raises:
        WeightsError: neither can be written.
    """
    from zoo.pretrained import download

    candidates = [(source, source.folders()[0]) for source in SOURCES.values() if source.stores_downloads]
    for source, folder in candidates:
        if download.writable(folder):
            return source, folder
        log.info("%s cannot be written", folder)
    folders = " nor ".join(str(folder) for _, folder in candidates)
    raise WeightsError(f"Neither {folders} can be written; set KERAS_HOME or ZOO_CACHE to a folder that can.")


def _wanted(spec: ModelSpec, tag: str, include_top: bool) -> tuple[WeightFile, bool]:
    """The published file to download, and whether it has the classifier."""
    if tag not in spec.weights:
        known = ", ".join(spec.weights)
        if known:
            raise UsageError(f"{spec.name} has no weights '{tag}'. Its weights: {known}.")
        raise WeightsError(
            f"No weights are published for {spec.name}; "
            f"import a file with 'zoo cache import FILE --as {spec.name}', or train it."
        )
    for has_top in (True,) if include_top else (False, True):
        file = published(spec, tag, has_top)
        if file:
            return file, has_top
    raise WeightsError(
        f"The weights '{tag}' of {spec.name} come without a classifier; "
        f"import a file that has one with 'zoo cache import FILE --as {spec.name}'."
    )


def _download(spec: ModelSpec, file: WeightFile, offline: bool, progress: Progress | None) -> tuple[Source, Path]:
    """Download a published file; returns where it was stored."""
    by_hand = f"'zoo cache import {file.file} --as {spec.name}'"
    if offline:
        looked = ", ".join(str(folder) for source in SOURCES.values() for folder in source.folders())
        raise WeightsError(
            f"The weights of {spec.name} ({file.file}) are not in {looked}, and zoo is offline; "
            f"run 'zoo pull {spec.name}' on a machine with a network, or import the file with {by_hand}."
        )
    urls = [url for source in SOURCES.values() for url in source.urls(file)]
    if not urls:
        raise WeightsError(
            f"No address is known for the weights of {spec.name} ({file.file}); "
            f"set a mirror in ZOO_WEIGHTS_MIRROR, or import the file with {by_hand}."
        )
    # Imported here because a network whose weights are on disk needs none of it.
    from zoo.pretrained import download

    source, folder = download_target()
    try:
        download.download(urls, folder / file.file, file, progress=progress)
    except WeightsError as error:
        sentence = str(error).rstrip(".")
        raise WeightsError(f"{sentence}; import the file with {by_hand}, or try again.") from error
    return source, folder / file.file
