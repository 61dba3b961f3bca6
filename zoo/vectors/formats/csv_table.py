"""``.csv``: a line for each image with its path (``path``) and numbers (``f0``, ``f1``, …).

Further columns follow as ``NAME.0``, ``NAME.1``, …; ``f.csv.about.json`` and ``f.csv.rows.npy`` are
:mod:`~zoo.vectors.formats.sidecars`. Bytes of a path that are not UTF-8 are written unchanged.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Column, ColumnChoice
from zoo.vectors.content import Content, column_norms
from zoo.vectors.formats import sidecars
from zoo.vectors.formats.text_rows import Spool, texts
from zoo.vectors.names import decode, encode, numbered
from zoo.vectors.vectors import Vectors, reading

#: Characters that need quotes.
_SPECIAL = frozenset(',"\n\r \t')


def write(content: Content, path: Path) -> list[Path]:
    """Write a file and its sidecars."""
    about, rows = _sidecars(path)
    first, *further = content.columns
    header = ["path", *(f"f{number}" for number in range(first.size))]
    header += [_cell(f"{column.name}.{number}") for column in further for number in range(column.size)]
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(",".join(header) + "\n")
        for entry, text in zip(content.entries(), texts(content, ",", content.columns), strict=True):
            file.write(f"{_cell(entry.path)}{',' if text else ''}{text}\n")
    sidecars.write(content, about, rows, column_norms(content))
    return [about, rows, path]


def files(path: Path) -> list[Path]:
    """The existing files that belong together."""
    return [*(file for file in _sidecars(path) if file.exists()), path]


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Read a file of zoo, or any with a name and numbers, or only numbers, in each line."""
    about_file, rows_file = _sidecars(path)
    about = sidecars.read_about(about_file)
    number = 1

    def problem(error: Exception) -> str:
        if isinstance(error, OSError):
            return f"cannot be read: {error.strerror or error}"
        return f"has no vector in line {number}: {error}"

    with ExitStack() as closing:
        with (
            reading(path, problem, csv.Error),
            open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
        ):
            cells_of = csv.reader(file)
            columns, named, rest = _layout(cells_of, about)
            column = choose(columns)
            begin = named + sum(other.size for other in columns[: columns.index(column)])
            width = named + sum(other.size for other in columns)
            spool = Spool(path, column, closing)
            for cells in rest:
                number = cells_of.line_num
                if len(cells) != width:
                    raise ValueError(f"{len(cells)} cells where there should be {width}")
                spool.add(cells[begin : begin + column.size], cells[0] if named else None)
        if about and about.count != spool.count:
            raise UsageError(f"{about.path} lists {about.count} vectors and {path} has {spool.count}; write it again.")
        paths = spool.names() if named else numbered(spool.count)
        return sidecars.assemble(path, spool.rows(), paths, closing, columns, column, about, rows_file)


def _layout(
    lines: Iterator[list[str]], about: sidecars.About | None
) -> tuple[Sequence[Column], bool, Iterator[list[str]]]:
    """The columns, whether names precede them, and the lines with numbers."""
    first = next(lines, None)
    if first is None:
        raise ValueError("the file is empty")
    if about is not None:
        return about.columns, True, lines
    header = not all(map(_is_number, first[1:] or first))
    row = next(lines, None) if header else first
    if row is None:
        raise ValueError("there is only a header")
    named = (header and first[0] == "path") or not _is_number(row[0] if row else "")
    return [Column(FEATURES, (len(row) - named,), np.float32)], named, chain([row], lines)


def _sidecars(path: Path) -> tuple[Path, Path]:
    """With the whole name, because ``f.about.json`` belongs to ``f.npy``."""
    return path.with_name(f"{path.name}.about.json"), path.with_name(f"{path.name}.rows.npy")


def _cell(name: str) -> str:
    text = decode(encode(name))
    return '"' + text.replace('"', '""') + '"' if not text or not _SPECIAL.isdisjoint(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
