"""What each epoch of a training brought: rows of numbers, kept as ``history.csv``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from zoo import output
from zoo.errors import UsageError

#: The columns that come first where they occur; others follow in the order in which they turned up.
COLUMNS = (
    "epoch",
    "seconds",
    "learning_rate",
    "loss",
    "top1",
    "val_loss",
    "val_top1",
    "images_per_second",
)

#: One epoch: names and numbers. Whole numbers stay whole.
Row = dict[str, int | float]


class History:
    """Rows of epochs, in order. Rows need not have the same keys.

    Attributes:
        rows: a mapping for each epoch, of Python's own ints and floats.
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        """Begin with these rows."""
        self.rows: list[Row] = []
        for row in rows:
            self.append(row)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch.

        Args:
            row: names and numbers, Python's or NumPy's.

        Raises:
            TypeError: a value is no number.
        """
        self.rows.append({str(key): _plain(value) for key, value in row.items()})

    def truncate(self, epoch: int) -> None:
        """Forget every row after that epoch, which a resumed training does again."""
        self.rows = [row for row in self.rows if row.get("epoch", epoch) <= epoch]

    def best(self, key: str, mode: Literal["max", "min"]) -> Row | None:
        """The row where ``key`` is highest or lowest, the first of equal ones; ``None`` where no row has a number."""
        rows = [row for row in self.rows if not math.isnan(row.get(key, math.nan))]
        if not rows:
            return None
        # Both give the first of equals.
        return max(rows, key=lambda row: row[key]) if mode == "max" else min(rows, key=lambda row: row[key])

    @property
    def columns(self) -> list[str]:
        """Every key that occurs, in the order of ``history.csv``."""
        seen = dict.fromkeys(key for row in self.rows for key in row)
        return [key for key in COLUMNS if key in seen] + [key for key in seen if key not in COLUMNS]

    def write(self, path: Path) -> None:
        """Write a CSV file, whole or not at all; numbers stand so that they are read back exactly.

        Raises:
            UnavailableError: it cannot be written, e.g. because the disk is full.
        """
        with output.opened(Path(path)) as stream:
            writer = csv.DictWriter(stream, self.columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    @classmethod
    def read(cls, path: Path) -> History:
        """Read what :meth:`write` wrote. An empty cell is a key that the row does not have.

        Raises:
            UsageError: there is no such file, or a line of it is damaged.
        """
        try:
            with Path(path).open(encoding="utf-8", newline="") as stream:
                reader = csv.reader(stream)
                header = next(reader, [])
                return cls(_row(path, reader.line_num, header, cells) for cells in reader)
        except FileNotFoundError as error:
            raise UsageError(f"There is no file {path}.") from error
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"{path} cannot be read: {error}.") from error


def _row(path: Path, line: int, header: list[str], cells: list[str]) -> Row:
    """The numbers of one line."""
    if len(cells) != len(header):
        raise UsageError(f"{path}, line {line}, has {len(cells)} values; the first line names {len(header)} columns.")
    row: Row = {}
    for key, cell in zip(header, cells, strict=True):
        if not cell:
            continue
        try:
            row[key] = int(cell) if cell.lstrip("-").isdecimal() else float(cell)
        except ValueError as error:
            raise UsageError(f"{path}, line {line}: {cell!r} in the column {key!r} is no number.") from error
    return row


def _plain(value: object) -> int | float:
    """Python's own int or float."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number, and a history holds nothing else")
    return value
