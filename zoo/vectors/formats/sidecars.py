"""The small files beside a format that has no room for them: names, what is known of the vectors, and of the files.

* ``paths.txt``: the names of the images, one a line.
* ``about.json``: ``rows`` and ``columns`` of the numbers, ``about``, and ``failed``, pairs of a name and a reason.
* ``rows.npy``: for each image the ``size`` and ``mtime_ns`` of its file, and the ``norm`` of its vector.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from zoo.core.errors import UsageError
from zoo.vectors.column import Column
from zoo.vectors.content import Content, batched
from zoo.vectors.names import BLOCK, Names, from_line, to_line
from zoo.vectors.rows import ByteFile
from zoo.vectors.vectors import Stamps

#: Raised whenever the files are written in another way.
FORMAT = 1
#: One row of ``rows.npy``.
ROW = np.dtype([("size", "<i8"), ("mtime_ns", "<i8"), ("norm", "<f4")])


@dataclass(frozen=True)
class About:
    """What ``about.json`` says."""

    path: Path
    about: dict[str, Any]
    columns: list[Column]
    count: int
    failed: list[list[str]]

    def failures(self) -> Iterator[tuple[str, str]]:
        """The inputs without vectors, with the reasons."""
        return ((path, error) for path, error in self.failed)


def read(path: Path) -> About | None:
    """``about.json``; ``None`` where there is none.

    Raises:
        UsageError: it is damaged.
    """
    try:
        values = json.loads(path.read_bytes())
        columns = [Column.from_dict(column) for column in values["columns"]]
        return About(path, dict(values["about"]), columns, int(values["rows"]), [[*pair] for pair in values["failed"]])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged, or was not written by zoo; make the vectors anew.") from error


def write_about(path: Path, content: Content) -> None:
    """Write ``about.json``; one line for each input that failed.

    Raises:
        OSError: it cannot be written; so for all that write.
    """
    head = {
        "format": FORMAT,
        "rows": content.count,
        "columns": [column.as_dict() for column in content.columns],
        "about": dict(content.about),
    }
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "failed": [')
        separator = "\n  "
        for failure in content.failures():
            file.write(separator + json.dumps(failure))
            separator = ",\n  "
        file.write("]\n}\n")


def write_names(path: Path, content: Content) -> None:
    """Write ``paths.txt``."""
    with open(path, "wb") as file:
        file.writelines(to_line(entry.path) + b"\n" for entry in content.entries())


def write_rows(path: Path, content: Content, norms: np.ndarray) -> None:
    """Write ``rows.npy``; ``norms`` is float32 (n,)."""
    with open(path, "wb") as file:
        npy_format.write_array_header_1_0(
            file, {"descr": npy_format.dtype_to_descr(ROW), "fortran_order": False, "shape": (content.count,)}
        )
        row = 0
        for entries in batched(content.entries(), BLOCK):
            block = np.empty(len(entries), ROW)
            block["size"] = [entry.size for entry in entries]
            block["mtime_ns"] = [entry.mtime_ns for entry in entries]
            block["norm"] = norms[row : row + len(entries)]
            file.write(block.data)
            row += len(entries)


def open_names(path: Path, closing: ExitStack) -> Names:
    """The names in ``paths.txt``, of which only the places are held in memory.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        file = ByteFile(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    closing.callback(file.close)
    return lines(file)


def lines(file: ByteFile) -> Names:
    """The names in a file, one a line."""
    ends = _line_ends(file)

    def fetch(start: int, stop: int) -> list[str]:
        first = int(ends[start - 1]) if start else 0
        data = file.read(first, int(ends[stop - 1]) - first).removesuffix(b"\n")
        return [from_line(line.removesuffix(b"\r")) for line in data.split(b"\n")]

    return Names(len(ends), fetch)


def _line_ends(file: ByteFile) -> np.ndarray:
    """Where each line of a file ends, behind its line break; int64."""
    step = 1 << 22
    ends = [np.empty(0, np.int64)]
    for start in range(0, file.size, step):
        block = np.frombuffer(file.read(start, min(step, file.size - start)), np.uint8)
        ends.append(np.flatnonzero(block == ord("\n")) + (start + 1))
    every = np.concatenate(ends)
    # The last line may have no end.
    return every if not file.size or (len(every) and every[-1] == file.size) else np.append(every, file.size)


@dataclass(frozen=True)
class RowFile:
    """What ``rows.npy`` has."""

    values: np.ndarray

    def read(self, start: int, stop: int) -> Stamps:
        """Sizes and times of some files, int64."""
        part = self.values[start:stop]
        return part["size"].copy(), part["mtime_ns"].copy()

    def norms(self) -> np.ndarray:
        """Norms of all vectors, float32."""
        return self.values["norm"].copy()


def open_rows(path: Path, count: int) -> RowFile | None:
    """``rows.npy``; ``None`` where there is none.

    Raises:
        UsageError: it is damaged, or has not ``count`` rows.
    """
    if not path.exists():
        return None
    try:
        values = np.load(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged; make the vectors anew.") from error
    if values.dtype != ROW or values.shape != (count,):
        raise UsageError(f"{path} does not belong to the {count} vectors beside it; make them anew.")
    return RowFile(values)
