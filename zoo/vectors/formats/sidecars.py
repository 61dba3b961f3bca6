"""Files beside a format that has no room for attributes and paths.

* ``paths.txt``: the paths of the images, one a line.
* ``about.json``: ``rows``, ``columns``, ``about`` (attributes), and ``failed``, pairs of a path and an error.
* ``rows.npy``: ``size`` and ``mtime_ns`` of each image's file, and the ``norm`` of its vector.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from zoo.vectors.rows import ByteFile, Rows
from zoo.vectors.vectors import Vectors, reading

#: Raised whenever the files are written in another way.
FORMAT = 1
#: One row of ``rows.npy``.
ROW = np.dtype([("size", "<i8"), ("mtime_ns", "<i8"), ("norm", "<f4")])


@dataclass(frozen=True)
class About:
    """``about.json``."""

    path: Path
    about: dict[str, Any]
    columns: list[Column]
    count: int
    failed: list[list[str]]


def read_about(path: Path) -> About | None:
    """Read ``about.json``; ``None`` if there is none."""
    if not path.exists():
        return None
    with reading(path, "is damaged, or was not written by zoo; write the vectors again"):
        values = json.loads(path.read_bytes())
        columns = [Column.from_dict(column) for column in values["columns"]]
        return About(path, dict(values["about"]), columns, int(values["rows"]), [[*pair] for pair in values["failed"]])


def write(content: Content, about: Path, rows: Path, norms: np.ndarray) -> None:
    """Write ``about.json``, with a line for each failed input, and ``rows.npy``; ``norms`` is float32 (n,)."""
    head = {
        "format": FORMAT,
        "rows": content.count,
        "columns": [column.as_dict() for column in content.columns],
        "about": dict(content.about),
    }
    with open(about, "w", encoding="utf-8") as text:
        text.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "failed": [')
        separator = "\n  "
        for failure in content.failures():
            text.write(separator + json.dumps(failure))
            separator = ",\n  "
        text.write("]\n}\n")
    with open(rows, "wb") as file:
        header = {"descr": npy_format.dtype_to_descr(ROW), "fortran_order": False, "shape": (content.count,)}
        npy_format.write_array_header_1_0(file, header)
        row = 0
        for entries in batched(content.entries(), BLOCK):
            block = np.empty(len(entries), ROW)
            block["size"] = [entry.size for entry in entries]
            block["mtime_ns"] = [entry.mtime_ns for entry in entries]
            block["norm"] = norms[row : row + len(entries)]
            file.write(block.data)
            row += len(entries)


def write_names(path: Path, content: Content) -> None:
    """Write ``paths.txt``."""
    with open(path, "wb") as file:
        file.writelines(to_line(entry.path) + b"\n" for entry in content.entries())


def open_names(path: Path, closing: ExitStack) -> Names:
    """Open ``paths.txt``, of which only line offsets are in memory."""
    with reading(path, "cannot be read"):
        file = ByteFile(path)
    closing.callback(file.close)
    return lines(file)


def lines(file: ByteFile) -> Names:
    """The names in a file, one a line."""
    step = 1 << 22
    found = [np.empty(0, np.int64)]
    for start in range(0, file.size, step):
        block = np.frombuffer(file.read(start, min(step, file.size - start)), np.uint8)
        found.append(np.flatnonzero(block == ord("\n")) + (start + 1))
    ends = np.concatenate(found)
    # The last line may have no line break.
    if file.size and not (len(ends) and ends[-1] == file.size):
        ends = np.append(ends, file.size)

    def fetch(start: int, stop: int) -> list[str]:
        first = int(ends[start - 1]) if start else 0
        data = file.read(first, int(ends[stop - 1]) - first).removesuffix(b"\n")
        return [from_line(line.removesuffix(b"\r")) for line in data.split(b"\n")]

    return Names(len(ends), fetch)


def assemble(
    path: Path,
    rows: Rows,
    paths: Sequence[str],
    closing: ExitStack,
    columns: Sequence[Column],
    column: Column,
    about: About | None,
    rows_file: Path,
) -> Vectors:
    """Vectors from rows and their sidecars; of ``rows_file`` (``rows.npy``), which may be missing, all is read."""
    if about is None:
        return Vectors(str(path), rows, paths, closing.pop_all(), columns=columns, column=column)
    stamps: np.ndarray | None = None
    if rows_file.exists():
        with reading(rows_file, "is damaged; write the vectors again"):
            stamps = np.load(rows_file)
        if stamps.dtype != ROW or stamps.shape != (rows.count,):
            raise UsageError(f"{rows_file} does not belong to the {rows.count} vectors beside it; write them again.")
    return Vectors(
        str(path),
        rows,
        paths,
        closing.pop_all(),
        about=about.about,
        columns=columns,
        column=column,
        norms=None if stamps is None else stamps["norm"].copy,
        stamps=None
        if stamps is None
        else lambda start, stop: (stamps["size"][start:stop].copy(), stamps["mtime_ns"][start:stop].copy()),
        failed=lambda: ((path, error) for path, error in about.failed),
    )
