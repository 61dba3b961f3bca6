"""Rows out: tables, JSON, JSON lines and CSV, to a stream or atomically to a file; and the report.

A row is a mapping of plain values. The report counts what became of them and owns the exit status.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from zoo.core.errors import UnavailableError

FORMATS = ("table", "json", "jsonl", "csv")

Row = Mapping[str, Any]


@dataclass(slots=True)
class Report:
    """Counts outcomes, and knows the exit status they amount to."""

    done: int = 0
    failed: int = 0

    def add(self, *, ok: bool) -> None:
        """Count one input."""
        if ok:
            self.done += 1
        else:
            self.failed += 1

    @property
    def exit_status(self) -> int:
        """0 when all were done, 1 when some failed."""
        return 1 if self.failed else 0


def choose_format(request: str | None, stream: TextIO, output: Path | None = None) -> str:
    """The format asked for; else what the output file's name says; else a table on a terminal, JSON lines in a pipe."""
    if request:
        return request
    if output is not None:
        return {".json": "json", ".csv": "csv", ".txt": "table"}.get(output.suffix.lower(), "jsonl")
    return "table" if stream.isatty() else "jsonl"


@contextlib.contextmanager
def opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears under its name only when everything is in it.

    Raises:
        UnavailableError: the file cannot be written.
    """
    if output is None:
        yield sys.stdout
        return
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{output.name}-", dir=output.parent)
        # A temporary file is private; the result gets the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
        os.replace(temporary, output)
        temporary = ""
    except OSError as error:
        raise UnavailableError(f"{output} cannot be written: {error.strerror or error}.") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write(
    rows: Iterable[Row],
    stream: TextIO,
    format: str,
    *,
    columns: Sequence[str],
    table: Callable[[Row], str] | None = None,
) -> None:
    """Write rows as they come.

    Args:
        rows: the rows; for JSON whole, for CSV the ``columns`` only, nested values as JSON.
        stream: where to.
        format: one of :data:`FORMATS`.
        columns: the columns of CSV and of a table.
        table: how one row looks on a terminal, with its line ends; without, an aligned table is made, which
            has to wait for the last row.
    """
    if format == "jsonl":
        for row in rows:
            stream.write(to_json(row) + "\n")
            # Whoever reads the pipe wants each row when it is there.
            stream.flush()
    elif format == "json":
        separator = "[\n"
        for row in rows:
            stream.write(separator + to_json(row))
            separator = ",\n"
        stream.write("\n]\n" if separator != "[\n" else "[]\n")
    elif format == "csv":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(column)) for column in columns])
    elif table is not None:
        for row in rows:
            stream.write(printable(table(row)))
            stream.flush()
    else:
        stream.write(printable(aligned(list(rows), columns)))


def to_json(value: Any) -> str:
    """One line of JSON. Names that are not UTF-8 are escaped as Python writes them."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def printable(text: str) -> str:
    """The text, with bytes that no terminal can show written in hexadecimal."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def aligned(rows: Sequence[Row], columns: Sequence[str], titles: Mapping[str, str] | None = None) -> str:
    """A table as text: columns as wide as they need to be, numbers to the right, a rule under the head."""
    titles = titles or {}
    head = [titles.get(column, column.replace("_", " ")) for column in columns]
    body = [[_shown(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(width, column)) for column in zip(head, *body, strict=True)]
    right = [bool(rows) and all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]
    lines = [head, ["─" * size for size in widths], *body]
    text = io.StringIO()
    for line in lines:
        cells = [_pad(cell, size, to_right) for cell, size, to_right in zip(line, widths, right, strict=True)]
        text.write("  ".join(cells).rstrip() + "\n")
    return text.getvalue()


def width(text: str) -> int:
    """Columns that a text takes on a terminal; wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def human_bytes(count: float | None) -> str:
    """``14.6 MB``; an em dash where it is not known."""
    if count is None:
        return "—"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")


def _pad(cell: str, size: int, to_right: bool) -> str:
    space = " " * (size - width(cell))
    return space + cell if to_right else cell + space


def _shown(value: Any) -> str:
    """A value in a table: dashes for what is not known, separators in large numbers."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _cell(value: Any) -> Any:
    """A value in CSV."""
    if isinstance(value, list | tuple | dict):
        return to_json(value)
    return printable(value) if isinstance(value, str) else value
