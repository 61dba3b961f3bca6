"""``.csv``: a line for each image, with its name (``path``) and its numbers (``f0``, ``f1``, …).

Further columns follow as ``NAME.0``, ``NAME.1``, …. ``f.csv.about.json`` and ``f.csv.rows.npy`` beside it are described
in :mod:`zoo.vectors.formats.companions`. Bytes of a name that are no UTF-8 are written as they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Choice, Column
from zoo.vectors.content import Content, norms
from zoo.vectors.formats import companions
from zoo.vectors.formats.text_tables import Spool, texts
from zoo.vectors.names import decode, encode, numbered
from zoo.vectors.vectors import Vectors

#: What a cell has that must stand in quotes.
_SPECIAL = frozenset(',"\n\r \t')


def write(content: Content, path: Path) -> list[Path]:
    """Write a file and those that belong to it, of which it is the last.

    Raises:
        OSError: one cannot be written.
    """
    about, rows = _beside(path)
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(",".join(["path", *_header(content.columns)]) + "\n")
        for entry, text in zip(content.entries(), texts(content, ",", content.columns), strict=True):
            file.write(f"{_cell(entry.path)}{',' if text else ''}{text}\n")
    companions.write_about(about, content)
    lengths = [np.empty(0, np.float32), *map(norms, content.blocks(content.columns[0]))]
    companions.write_rows(rows, content, np.concatenate(lengths))
    return [about, rows, path]


def belonging(path: Path) -> list[Path]:
    """The files that belong to one, and it."""
    return [*(file for file in _beside(path) if file.exists()), path]


def open_file(path: Path, choice: Choice) -> Vectors:
    """Read a file, of zoo's or one that has a name and numbers, or only numbers, in each line.

    Raises:
        UsageError: it is damaged, has something else than numbers, or no such layer.
        UnavailableError: the folder for temporary files is full.
    """
    about_file, rows_file = _beside(path)
    about = companions.read(about_file)
    with ExitStack() as closing:
        number = 1
        try:
            with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                lines = csv.reader(file)
                columns, named, rest = _layout(lines, about)
                column = choice(columns)
                begin = named + sum(other.size for other in columns[: columns.index(column)])
                width = named + sum(other.size for other in columns)
                spool = Spool(path, column, closing)
                for cells in rest:
                    number = lines.line_num
                    if len(cells) != width:
                        raise ValueError(f"{len(cells)} cells where there should be {width}")
                    spool.add(cells[begin : begin + column.size], cells[0] if named else None)
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
        except (ValueError, csv.Error) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{path}, line {number}, holds no vector: {error}.") from error
        if about and about.count != spool.count:
            raise UsageError(f"{about.path} tells of {about.count} vectors and {path} has {spool.count}; make it anew.")
        rows = companions.open_rows(rows_file, spool.count) if about else None
        return Vectors(
            str(path),
            spool.rows(),
            spool.names() if named else numbered(spool.count),
            closing.pop_all(),
            about=about.about if about else {},
            columns=columns,
            column=column,
            norms=rows.norms if rows and column is columns[0] else None,
            stamps=rows.read if rows else None,
            failed=about.failures if about else None,
        )


def _layout(
    lines: Iterator[list[str]], about: companions.About | None
) -> tuple[Sequence[Column], bool, Iterator[list[str]]]:
    """The columns, whether names stand before them, and the lines that have numbers."""
    first = next(lines, None)
    if first is None:
        raise ValueError("the file is empty")
    if about is not None:
        return about.columns, True, lines
    header = not all(map(_is_number, first[1:] or first))
    row = next(lines, None) if header else first
    if row is None:
        raise ValueError("there is nothing but a header")
    named = (header and first[0] == "path") or not _is_number(row[0] if row else "")
    return [Column(FEATURES, (len(row) - named,), np.float32)], named, chain([row], lines)


def _beside(path: Path) -> tuple[Path, Path]:
    """What belongs to a file; its whole name, because ``f.about.json`` belongs to ``f.npy``."""
    return path.with_name(f"{path.name}.about.json"), path.with_name(f"{path.name}.rows.npy")


def _header(columns: Sequence[Column]) -> Iterator[str]:
    first, *further = columns
    yield from (f"f{number}" for number in range(first.size))
    for column in further:
        yield from (_cell(f"{column.name}.{number}") for number in range(column.size))


def _cell(name: str) -> str:
    """A name as a cell."""
    text = decode(encode(name))
    return '"' + text.replace('"', '""') + '"' if not text or not _SPECIAL.isdisjoint(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
