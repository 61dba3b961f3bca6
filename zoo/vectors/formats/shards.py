"""A folder of shards: HDF5 files that several processes wrote, read as one file with the rows of all.

``manifest.json`` has ``shards``, a list of ``{"file", "rows", "failed"}`` in order, and ``about``, the attributes.
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
from zoo.vectors.column import ColumnChoice
from zoo.vectors.formats import hdf5
from zoo.vectors.names import Names
from zoo.vectors.part_folder import unwritable
from zoo.vectors.rows import Rows
from zoo.vectors.vectors import Stamps, Vectors, reading

MANIFEST = "manifest.json"
#: Raised whenever the manifest is laid out in another way.
FORMAT = 1
#: Shards that are open at a time; a process may open about a thousand files.
OPEN = 64


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of a folder: its name, its rows, and its failed inputs."""

    file: str
    rows: int
    failed: int = 0


def write_manifest(folder: Path, shards: Sequence[Shard], about: Mapping[str, Any]) -> None:
    """Write the manifest of a folder atomically, which completes the folder."""
    target = folder / MANIFEST
    manifest = {"format": FORMAT, "shards": [asdict(shard) for shard in shards], "about": dict(about)}
    try:
        atomic.write(target, json.dumps(manifest, indent=1), sync=True)
    except OSError as error:
        raise unwritable(error, target) from error


def read_manifest(folder: Path) -> tuple[list[Shard], dict[str, Any]]:
    """The shards of a folder, and the attributes."""
    path = folder / MANIFEST
    with reading(path, "is damaged, or of another version of zoo"):
        manifest = json.loads(path.read_bytes())
        if manifest["format"] != FORMAT:
            raise ValueError(manifest["format"])
        shards = [Shard(**shard) for shard in manifest["shards"]]
        about = dict(manifest["about"])
    missing = [shard.file for shard in shards if not (folder / shard.file).is_file()]
    if not shards:
        raise UsageError(f"{path} names no shards.")
    if missing:
        raise UsageError(f"{folder} lacks {missing[0]}, one of {len(shards)} shards that its {MANIFEST} names.")
    return shards, about


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Open the shards of a folder as one file."""
    shards, about = read_manifest(path)
    with ExitStack() as closing:
        rows = _ShardRows(path, shards, choose)
        closing.callback(rows.close)
        return Vectors(
            str(path),
            rows,
            Names(rows.count, rows.names),
            closing.pop_all(),
            about=about,
            columns=rows.first.columns,
            column=rows.first.column,
            norms=rows.norms if rows.first.norms is not None else None,
            stamps=rows.stamps if rows.first.stamps(0, 0) is not None else None,
            failed=rows.failed,
        )


class _ShardRows(Rows):
    """The rows of several files, some of which are open."""

    def __init__(self, folder: Path, shards: Sequence[Shard], choose: ColumnChoice) -> None:
        self._folder, self._shards, self._choose = folder, shards, choose
        self._edges = np.concatenate([[0], np.cumsum([shard.rows for shard in shards], dtype=np.int64)])
        self._open: OrderedDict[int, Vectors] = OrderedDict()
        self._lock = threading.RLock()
        self.count = int(self._edges[-1])
        #: The shard with most rows: one without rows does not know its columns.
        self.first = self._vectors(int(np.argmax(np.diff(self._edges))))
        self.shape, self.dtype = self.first.shape, self.first.dtype

    def fill(self, start: int, out: np.ndarray) -> None:
        for vectors, begin, end, row in self._parts(start, start + len(out)):
            vectors.fill(begin, out[row - start : row - start + end - begin])

    def names(self, start: int, stop: int) -> list[str]:
        """Paths of some images."""
        return [name for vectors, begin, end, _ in self._parts(start, stop) for name in vectors.paths[begin:end]]

    def norms(self) -> np.ndarray:
        """The stored norms."""
        return np.concatenate([vectors.norms for vectors, *_ in self._parts(0, self.count)])

    def stamps(self, start: int, stop: int) -> Stamps:
        """Sizes and modification times of some images' files."""
        parts = [vectors.stamps(begin, end) for vectors, begin, end, _ in self._parts(start, stop)]
        sizes, times = zip(*parts, strict=True) if parts else ((), ())
        none = np.empty(0, np.int64)
        return np.concatenate([none, *sizes]), np.concatenate([none, *times])

    def failed(self) -> Iterator[tuple[str, str]]:
        """The failed inputs of all shards."""
        for number, shard in enumerate(self._shards):
            if shard.failed:
                yield from list(self._vectors(number).failed())

    def close(self) -> None:
        """Close all shards."""
        while self._open:
            self._open.popitem()[1].close()

    def _parts(self, start: int, stop: int) -> Iterator[tuple[Vectors, int, int, int]]:
        """The parts of shards that make these rows: shard, first row and end in it, and first row here."""
        row = start
        while row < stop:
            number = int(np.searchsorted(self._edges, row, "right")) - 1
            first, end = (int(edge) for edge in self._edges[number : number + 2])
            with self._lock:
                yield self._vectors(number), row - first, min(stop, end) - first, row
            row = end

    def _vectors(self, number: int) -> Vectors:
        """An open shard; the least recently used one is closed."""
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
        # A shard without rows is opened for its failed inputs only.
        vectors = hdf5.open_file(path, self._choose if shard.rows else lambda columns: columns[0])
        problem = ""
        if vectors.count != shard.rows:
            problem = f"has {vectors.count} vectors, and the {MANIFEST} beside it lists {shard.rows}"
        elif shard.rows and self._open and (vectors.shape, vectors.dtype) != (self.shape, self.dtype):
            problem = "has other vectors than the other shards"
        if problem:
            vectors.close()
            raise UsageError(f"{path} {problem}.")
        return vectors
