"""Rows written as a table, JSON, JSON lines or CSV, to a stream or a file; and the exit status they amount to."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from zoo.core import atomic
from zoo.core.errors import UnavailableError

FORMATS = ("table", "json", "jsonl", "csv")

#: One result, of values that JSON has.
Row = Mapping[str, Any]

_UNITS = ((1e3, "kB"), (1e6, "MB"), (1e9, "GB"))
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Report:
    """Counts inputs that succeeded and failed; it owns the exit status."""

    done: int = 0
    failed: int = 0

    def add(self, *, ok: bool) -> None:
        """Count one input."""
        self.done += ok
        self.failed += not ok

    @property
    def exit_status(self) -> int:
        """0 if all succeeded, 1 if some failed."""
        return 1 if self.failed else 0


def choose_format(request: str | None, stream: TextIO, output: Path | None = None) -> str:
    """The requested format, or that of the file's suffix, or a table on a terminal and JSON lines in a pipe."""
    if request:
        return request
    if output is not None:
        return {".json": "json", ".csv": "csv", ".txt": "table"}.get(output.suffix.lower(), "jsonl")
    return "table" if stream.isatty() else "jsonl"


@contextlib.contextmanager
def opened(output: Path | None) -> Iterator[TextIO]:
    """A stream to standard output, or to a file that appears under its name only when it is complete."""
    if output is None:
        yield sys.stdout
        return
    try:
        with (
            atomic.replacing(output) as temporary,
            temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
        ):
            yield stream
    except OSError as error:
        raise UnavailableError(f"{output} cannot be written: {error.strerror or error}.") from error


def write(
    rows: Iterable[Row],
    stream: TextIO,
    format: str,
    *,
    columns: Sequence[str],
    table: Callable[[Row], str] | None = None,
) -> None:
    """Write rows as they come: JSON whole, CSV ``columns`` only, a table by ``table(row)`` or aligned at the end."""
    if format == "jsonl":
        for row in rows:
            stream.write(to_json(row) + "\n")
            # The reader of a pipe gets each row at once.
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
    """One line of JSON; ASCII if the text has characters that UTF-8 cannot encode."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def printable(text: str) -> str:
    r"""The text with what UTF-8 cannot encode escaped: bytes of a name as ``\xff``, surrogates as ``\ud800``."""
    return _SURROGATES.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    # Python represents bytes of a file's name that are not UTF-8 as U+DC80 to U+DCFF.
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def aligned(rows: Sequence[Row], columns: Sequence[str], titles: Mapping[str, str] | None = None) -> str:
    """A table as text: columns as wide as their cells, numbers aligned right, a rule under the header."""
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
    """Terminal columns that a text takes: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def human_bytes(count: float | None) -> str:
    """A size such as ``14.6 MB``; an em dash if it is unknown."""
    if count is None:
        return "—"
    if abs(count) < 1000:
        return f"{count:.0f} B"
    unit, name = next(((unit, name) for unit, name in _UNITS if abs(count) < 1000 * unit), _UNITS[-1])
    return f"{count / unit:.1f} {name}"


def _pad(cell: str, size: int, to_right: bool) -> str:
    space = " " * (size - width(cell))
    return space + cell if to_right else cell + space


def _shown(value: Any) -> str:
    """A value in a table: a dash if it is unknown, separators in large numbers."""
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
