"""The history of a training: a row of numbers for each epoch, kept as ``history.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from zoo.core import output

#: The columns that come first; others follow in the order in which they appear.
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

#: One epoch.
Row = dict[str, int | float]


class History:
    """Rows of epochs, in order. Rows need not have the same keys.

    Attributes:
        rows: a mapping for each epoch, of Python's own ints and floats.
    """

    def __init__(self, rows: Iterable[Mapping[str, float]] = ()) -> None:
        """Start with rows."""
        self.rows: list[Row] = []
        for row in rows:
            self.append(row)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch.

        Args:
            row: names and numbers, Python's or NumPy's.

        Raises:
            TypeError: a value is not a number.
        """
        self.rows.append({str(key): _plain(value) for key, value in row.items()})

    @property
    def columns(self) -> list[str]:
        """Every key that occurs, in the order of ``history.csv``."""
        seen = dict.fromkeys(key for row in self.rows for key in row)
        return [key for key in COLUMNS if key in seen] + [key for key in seen if key not in COLUMNS]

    def write(self, path: Path) -> None:
        """Write a CSV file atomically; numbers can be read back exactly.

        Raises:
            UnavailableError: it cannot be written, e.g. because the disk is full.
        """
        with output.opened(Path(path)) as stream:
            writer = csv.DictWriter(stream, self.columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def _plain(value: object) -> int | float:
    """A number as Python's int or float."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number; a history holds numbers only")
    return value
