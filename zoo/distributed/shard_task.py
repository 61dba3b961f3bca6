"""Computing one shard on any machine: what ``zoo features`` does, for some of the images."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import platform
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.core.errors import ImageError, UnavailableError, UsageError, ZooError
from zoo.images.source import Source
from zoo.inference import feature_file
from zoo.inference.features import Extractor
from zoo.vectors import Vectors, open_vectors
from zoo.vectors.formats.shards import Shard
from zoo.vectors.part_folder import unwritable
from zoo.vectors.provenance import differences

#: Images of a shard that are named if the machine does not see them.
_UNSEEN = 10


@dataclass(frozen=True)
class ShardJob:
    """What the shards of a folder have in common.

    ``about`` and ``running`` are those of the extractor. Shards are made in ``work``, complete ones are in ``parts``,
    both absolute paths. The rest is the driver's: its machine, working directory, and environment variables for zoo.
    """

    about: Mapping[str, Any]
    running: Mapping[str, Any]
    work: str
    parts: str
    host: str = field(default_factory=platform.node)
    folder: str = field(default_factory=os.getcwd)
    environment: Mapping[str, str] = field(
        default_factory=lambda: {
            key: value
            for key, value in os.environ.items()
            if key.startswith("ZOO_") or key in ("KERAS_HOME", "KERAS_BACKEND")
        }
    )


@dataclass(frozen=True)
class ShardResult:
    """A shard that is complete; ``new`` if it was computed, not found. ``unseen`` are files that ``host`` lacks."""

    shard: Shard
    shape: tuple[int, ...]
    failed: tuple[tuple[str, str], ...]
    new: bool
    host: str
    unseen: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compute_shard(job: ShardJob, name: str, sources: Sequence[Source]) -> ShardResult:
    """Make the shard of some files and URLs, completely or not at all; an existing one of these inputs is kept."""
    try:
        _enter(job, sources)
        target = Path(job.parts, name)
        return _existing(target, job, sources) or _compute(target, job, sources)
    except ZooError as error:
        if platform.node() == job.host:
            raise
        raise type(error)(f"On {platform.node()}: {error}") from error


def _enter(job: ShardJob, sources: Iterable[Source]) -> None:
    """Take over the working directory and the environment of the driver."""
    if not os.path.isdir(job.work):
        raise UnavailableError(f"There is no folder {job.work}; the output must be on a file system that all share.")
    os.environ.update(job.environment)
    # As many threads as the task was given, also for TensorFlow, which would use all.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(job.running.get("threads") or 0))
    try:
        os.chdir(job.folder)
    except OSError as error:
        if any(source.kind == "file" and not os.path.isabs(source.path) for source in sources):
            raise UnavailableError(
                f"There is no folder {job.folder}; images must be on a file system that all machines share, or have "
                "absolute paths."
            ) from error


def _existing(target: Path, job: ShardJob, sources: Sequence[Source]) -> ShardResult | None:
    """The shard, if it is complete and of these inputs."""
    if not target.exists():
        return None
    try:
        with open_vectors(target) as vectors:
            failed = tuple(vectors.failed())
            if any(differences(vectors.file_about, job.about)) or not _is_of(sources, vectors, failed):
                return None
            shard = Shard(target.name, vectors.count, len(failed))
            return ShardResult(shard, vectors.shape, failed, new=False, host=platform.node())
    except UsageError:
        # It is damaged.
        return None


def _is_of(sources: Sequence[Source], vectors: Vectors, failed: Sequence[tuple[str, str]]) -> bool:
    """Whether the rows and the failures of a shard, each in their order, are these inputs in theirs."""
    if vectors.count + len(failed) != len(sources):
        return False
    rows, failures = deque(vectors.paths), deque(path for path, _ in failed)
    for source in sources:
        found = next((paths for paths in (rows, failures) if paths and paths[0] == source.path), None)
        if found is None:
            return False
        found.popleft()
    return True


def _compute(target: Path, job: ShardJob, sources: Sequence[Source]) -> ShardResult:
    """The shard, made now."""
    failed: list[tuple[str, str]] = []
    unseen: list[str] = []

    def watch(source: Source, error: ImageError | None) -> None:
        if error is None:
            return
        failed.append((source.path, str(error)))
        file = source.kind == "file" and source.problem is None
        if file and len(unseen) < _UNSEEN and not os.path.lexists(source.path):
            unseen.append(source.path)

    with _Warnings() as warnings:
        extractor = _extractor(json.dumps(dict(job.running)), json.dumps(dict(job.about)))
        # The process number is for people who look; the rest of the name belongs to this attempt alone.
        attempt = {"prefix": f"{os.getpid()}-", "dir": job.work}
        with _writing(job), tempfile.TemporaryDirectory(**attempt, ignore_cleanup_errors=True) as work:
            file = Path(work, target.name)
            written = feature_file.write(list(sources), file, extractor, watcher=watch, about=job.about)
            written.path.replace(target)
    return ShardResult(
        Shard(target.name, written.count, written.failed),
        written.shape,
        tuple(failed),
        new=True,
        host=platform.node(),
        unseen=tuple(unseen),
        warnings=tuple(warnings.texts),
    )


@contextlib.contextmanager
def _writing(job: ShardJob) -> Iterator[None]:
    """Report errors of the disk for the folder that the user named, and not for a temporary file in it."""
    try:
        yield
    except (OSError, UnavailableError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        if not isinstance(cause, OSError):
            raise
        parts = Path(job.parts)
        whole = parts.parents[1].with_name(parts.name)
        raise unwritable(cause, whole, parts.parents[1]) from error


@functools.lru_cache(maxsize=1)
def _extractor(running: str, about: str) -> Extractor:
    """The extractor of a job, its engine started; a process keeps it from shard to shard. The arguments are JSON."""
    asked = json.loads(about)
    extractor = Extractor(
        f"{asked['model']}:{asked['tag']}" if asked["tag"] else asked["model"],
        layer=[asked["layer"], *asked["further_layers"]] if asked["layer"] else None,
        pool=asked["pool"],
        normalize=asked["normalized"],
        probabilities=asked["probabilities"],
        dtype=asked["dtype"],
        **json.loads(running),
    )
    if asked["precision"] == "int8" and not extractor.quantize_as(asked["calibration"]):
        raise UnavailableError(
            f"The int8 form of {asked['model']} is not in the cache; ZOO_CACHE must be a folder that all share."
        )
    for key, *_ in differences(extractor.about_as(asked), asked):
        raise UsageError(
            f"{asked['model']} is not the same on all machines: its {key.replace('_', ' ')} differs; "
            "they must have the same weights and the same zoo."
        )
    # What is unavailable is found here, and not while something is written.
    _ = extractor.engine
    return extractor


class _Warnings(logging.Handler):
    """Collects the warnings of zoo's log, which would stay on this machine; a context manager."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def __enter__(self) -> _Warnings:
        logging.getLogger("zoo").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("zoo").removeHandler(self)
