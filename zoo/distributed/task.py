"""One shard, on whatever machine it is made: what ``zoo features`` does, for some of the images."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.core.errors import ImageError, UnavailableError, UsageError, ZooError
from zoo.images.sources import Source
from zoo.inference import extract
from zoo.inference.features import Extractor
from zoo.vectors import Vectors, open_vectors
from zoo.vectors.formats.shards import Shard
from zoo.vectors.identity import differences
from zoo.vectors.part_folder import unwritable

#: Images of a shard that are named when the machine does not see them.
_UNSEEN = 10


@dataclass(frozen=True)
class Job:
    """What the shards of a folder have in common."""

    #: What the vectors have to be of, as :attr:`zoo.inference.features.Extractor.about` says it.
    about: Mapping[str, Any]
    #: Where and how the extractor runs: ``device``, ``engine``, ``batch_size``, ``offline``, ``threads``.
    running: Mapping[str, Any]
    #: Where shards are made, and where they are when they are whole; absolute paths.
    work: str
    parts: str
    #: Of the machine that asks: its name, the folder that paths start from, and environment variables that zoo reads.
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
class Done:
    """What became of a shard."""

    shard: Shard
    #: Of a row.
    shape: tuple[int, ...]
    failed: tuple[tuple[str, str], ...]
    #: Whether it was computed, and not found.
    new: bool
    #: The machine, and files that it does not see; some of them.
    host: str
    unseen: tuple[str, ...] = ()
    #: What the log said.
    warnings: tuple[str, ...] = ()


def make(job: Job, name: str, sources: Sequence[Source]) -> Done:
    """Make a shard, whole or not at all; one that is there already, of these inputs, is left.

    Args:
        job: what all shards have in common.
        name: of the file.
        sources: files and addresses.

    Raises:
        UnavailableError: this machine lacks something.
        UsageError: the network has no such layer, or is another one here.
    """
    try:
        _settle(job, sources)
        target = Path(job.parts, name)
        return _found(target, job, sources) or _computed(target, job, sources)
    except ZooError as error:
        if platform.node() == job.host:
            raise
        raise type(error)(f"On {platform.node()}: {error}") from error


def _settle(job: Job, sources: Iterable[Source]) -> None:
    """Be where the machine that asks is: its folders, and its environment.

    Raises:
        UnavailableError: this machine does not have its folders.
    """
    if not os.path.isdir(job.work):
        raise UnavailableError(
            f"There is no folder {job.work}; what is written must be on a file system that all machines share."
        )
    os.environ.update(job.environment)
    # As many threads as the task was given, also for TensorFlow, which would take all.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(job.running.get("threads") or 0))
    try:
        os.chdir(job.folder)
    except OSError as error:
        if any(source.kind == "file" and not os.path.isabs(source.path) for source in sources):
            raise UnavailableError(
                f"There is no folder {job.folder}; images must be on a file system that all machines share, or be "
                "named by their whole paths."
            ) from error


def _found(target: Path, job: Job, sources: Sequence[Source]) -> Done | None:
    """The shard, where it is whole and of these inputs."""
    if not target.exists():
        return None
    try:
        with open_vectors(target) as vectors:
            failed = tuple(vectors.failed())
            if any(differences(vectors.file_about, job.about)) or not _is_of(sources, vectors, failed):
                return None
            shard = Shard(target.name, vectors.count, len(failed))
            return Done(shard, vectors.shape, failed, new=False, host=platform.node())
    except UsageError:
        # It is damaged.
        return None


def _is_of(sources: Sequence[Source], vectors: Vectors, failed: Sequence[tuple[str, str]]) -> bool:
    """Whether the rows and the failures of a shard, each in their order, are these inputs in theirs."""
    if vectors.count + len(failed) != len(sources):
        return False
    rows, failures = iter([*vectors.paths, None]), iter([*(path for path, _ in failed), None])
    row, failure = next(rows), next(failures)
    for source in sources:
        if source.path == row:
            row = next(rows)
        elif source.path == failure:
            failure = next(failures)
        else:
            return False
    return True


def _computed(target: Path, job: Job, sources: Sequence[Source]) -> Done:
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
        # The process's number is for people who look; the rest of the name is of this attempt alone.
        attempt = {"prefix": f"{os.getpid()}-", "dir": job.work}
        with _writing(job), tempfile.TemporaryDirectory(**attempt, ignore_cleanup_errors=True) as work:
            written = extract.write(list(sources), Path(work, target.name), extractor, watcher=watch)
            written.path.replace(target)
    shard = Shard(target.name, written.count, written.failed)
    return Done(
        shard,
        written.shape,
        tuple(failed),
        new=True,
        host=platform.node(),
        unseen=tuple(unseen),
        warnings=tuple(warnings.texts),
    )


@contextlib.contextmanager
def _writing(job: Job) -> Iterator[None]:
    """Says what the disk refuses of the folder that people know, and not of a file in it that is gone afterwards."""
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
    """The extractor of a job, its engine started, which a process keeps from shard to shard; the arguments are JSON.

    Raises:
        UsageError: the network is another one here.
        UnavailableError: weights or device are not to be had.
    """
    asked = json.loads(about)
    layers = [asked["layer"], *asked["further_layers"]] if asked["layer"] else None
    extractor = Extractor(
        f"{asked['model']}:{asked['tag']}" if asked["tag"] else asked["model"],
        layer=layers,
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
    for key, *_ in differences(extractor.about, asked):
        raise UsageError(
            f"{asked['model']} is not the same on all machines: its {key.replace('_', ' ')} differs; "
            "they must have the same weights and the same zoo."
        )
    # What is not to be had for it is found here, and not while something is written.
    _ = extractor.engine
    return extractor


class _Warnings(logging.Handler):
    """Collects what zoo's log warns of, which would stay on this machine; a context manager."""

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
