"""A folder of shards: files of vectors that several processes made, and a manifest that says which, in which order.

``manifest.json`` has ``shards``, a list of ``{"file", "rows", "failed"}``, and ``about``, what is known of the vectors.
The folder is read as one file with the rows of all shards.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.core import atomic
from zoo.core.errors import UsageError
from zoo.vectors.column import Choice
from zoo.vectors.formats import hdf5
from zoo.vectors.names import Names
from zoo.vectors.part_folder import unwritable
from zoo.vectors.rows import gathered
from zoo.vectors.vectors import Stamps, Vectors

MANIFEST = "manifest.json"
#: Raised whenever the manifest is laid out in another way.
FORMAT = 1
#: Shards that are open at a time; a system gives a process a thousand files or so.
OPEN = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of a folder: its name there, its rows, and its inputs without a row."""

    file: str
    rows: int
    failed: int = 0


def write_manifest(folder: Path, shards: Sequence[Shard], about: Mapping[str, Any]) -> None:
    """Write the manifest of a folder, whole or not at all: with it the folder is finished.

    Raises:
        UnavailableError: it cannot be written.
    """
    target = folder / MANIFEST
    manifest = {"format": FORMAT, "shards": [asdict(shard) for shard in shards], "about": dict(about)}
    try:
        atomic.write(target, json.dumps(manifest, indent=1), sync=True)
    except OSError as error:
        raise unwritable(error, target) from error


def read_manifest(folder: Path) -> tuple[list[Shard], dict[str, Any]]:
    """The shards of a folder, and what is known of the vectors.

    Raises:
        UsageError: the manifest is damaged, or a shard is missing.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["format"] != FORMAT:
            raise ValueError("another version of zoo wrote it")
        shards = [Shard(**shard) for shard in manifest["shards"]]
        about = dict(manifest["about"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged, or of another version of zoo.") from error
    missing = [shard.file for shard in shards if not (folder / shard.file).is_file()]
    if not shards:
        raise UsageError(f"{path} names no shards.")
    if missing:
        raise UsageError(f"{folder} lacks {missing[0]}, one of {len(shards)} shards that its {MANIFEST} names.")
    return shards, about


def open_folder(folder: Path, choice: Choice) -> Vectors:
    """Open the shards of a folder as one.

    Raises:
        UsageError: one is missing or damaged, or there is no such layer.
    """
    shards, about = read_manifest(folder)
    with ExitStack() as closing:
        together = _Shards(folder, shards, choice)
        closing.callback(together.close)
        first = together.first
        return Vectors(
            str(folder),
            together,
            Names(together.count, together.names),
            closing.pop_all(),
            about=about,
            columns=first.columns,
            column=first.column,
            norms=together.norms if first.norms is not None else None,
            stamps=together.stamps if first.stamps(0, 0) is not None else None,
            failed=together.failed,
        )


class _Shards:
    """The rows of several files, of which some are open."""

    def __init__(self, folder: Path, shards: Sequence[Shard], choice: Choice) -> None:
        self._folder, self._shards, self._choice = folder, shards, choice
        self._edges = np.concatenate([[0], np.cumsum([shard.rows for shard in shards], dtype=np.int64)])
        self._open: OrderedDict[int, Vectors] = OrderedDict()
        self._lock = threading.RLock()
        self.count = int(self._edges[-1])
        self._first = self._vectors(int(np.argmax(np.diff(self._edges))))
        self.shape, self.dtype = self._first.shape, self._first.dtype

    @property
    def first(self) -> Vectors:
        """The shard with most rows, which says what they are: one in which nothing could be read does not know."""
        return self._first

    def fill(self, start: int, out: np.ndarray) -> None:
        for vectors, begin, end, row in self._parts(start, start + len(out)):
            vectors.fill(begin, out[row - start : row - start + end - begin])

    def take(self, rows: np.ndarray) -> np.ndarray:
        return gathered(self, rows)

    def names(self, start: int, stop: int) -> list[str]:
        """Some names, over the borders of shards."""
        return [name for vectors, begin, end, _ in self._parts(start, stop) for name in vectors.paths[begin:end]]

    def norms(self) -> np.ndarray:
        """The norms of all shards."""
        return np.concatenate([vectors.norms for vectors, *_ in self._parts(0, self.count)])

    def stamps(self, start: int, stop: int) -> Stamps:
        """Sizes and times of some files, over the borders of shards."""
        parts = [vectors.stamps(begin, end) for vectors, begin, end, _ in self._parts(start, stop)]
        sizes, times = zip(*parts, strict=True) if parts else ((), ())
        none = np.empty(0, np.int64)
        return np.concatenate([none, *sizes]), np.concatenate([none, *times])

    def failed(self) -> Iterator[tuple[str, str]]:
        """The inputs without rows, of all shards."""
        for number, shard in enumerate(self._shards):
            if shard.failed:
                yield from list(self._vectors(number).failed())

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def _parts(self, start: int, stop: int) -> Iterator[tuple[Vectors, int, int, int]]:
        """What of which shard makes these rows: the shard, first row and end there, and the first row here."""
        row = start
        while row < stop:
            number = int(np.searchsorted(self._edges, row, "right")) - 1
            first, end = (int(edge) for edge in self._edges[number : number + 2])
            with self._lock:
                yield self._vectors(number), row - first, min(stop, end) - first, row
            row = end

    def _vectors(self, number: int) -> Vectors:
        """A shard, opened where it is not; the one that was not used for longest is closed."""
        with self._lock:
            if number not in self._open:
                if len(self._open) >= OPEN:
                    self._open.popitem(last=False)[1].close()
                self._open[number] = self._checked(number)
            self._open.move_to_end(number)
            return self._open[number]

    def _checked(self, number: int) -> Vectors:
        shard = self._shards[number]
        path = self._folder / shard.file
        # A shard without rows does not know its columns, and is asked for nothing but what failed.
        vectors = hdf5.open_file(path, self._choice if shard.rows else lambda columns: columns[0])
        if vectors.count != shard.rows:
            vectors.close()
            raise UsageError(f"{path} has {vectors.count} vectors, and the {MANIFEST} beside it tells of {shard.rows}.")
        if shard.rows and self._open and (vectors.shape, vectors.dtype) != (self.shape, self.dtype):
            vectors.close()
            raise UsageError(f"{path} has other vectors than the other shards.")
        return vectors
