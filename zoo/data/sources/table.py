"""A table of images and labels, and perhaps parts: one of your own, or the ``split.csv`` of a run."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zoo.core.errors import UsageError, describe_os_error
from zoo.data.idx import IdxImages
from zoo.data.sources import idx_folder
from zoo.data.sources.base import Parsed
from zoo.data.split import PARTS, Split
from zoo.images.source import Source

#: Suffixes of tables, and what separates their columns.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
#: The table of a folder of images.
FOLDER_TABLE = "labels.csv"
#: Columns that say which file, and which class; the first that there is. ``split`` is optional.
PATHS, LABELS = ("path", "file"), ("label", "wordnet_id", "index", "name")
#: The columns of a recorded division.
COLUMNS = ("path", "label", "split")

#: An image of an IDX file: the file, and which of its images.
_NUMBERED = re.compile(r"(?P<file>.+-ubyte(?:\.gz|\.xz)?)\[(?P<number>\d+)\]")


class Row(NamedTuple):
    """One line of a table. ``split`` is empty if the table has no such column."""

    line: int
    path: str
    label: str
    split: str


class Table:
    """A table; see :class:`~zoo.data.sources.base.DatasetSource`."""

    def __init__(self, path: str) -> None:
        """Read the table, but no image."""
        self.path = path
        header, self._rows = _read_rows(path)
        self.root = find_root(path) if set(COLUMNS) <= set(header) else os.path.dirname(path)
        self.parts = tuple(part for part in PARTS if any(row.split == part for row in self._rows))
        self.recorded = bool(self.parts)

    def read(self, parts: Sequence[str]) -> Parsed:
        """The images of some parts; see :meth:`~zoo.data.sources.base.DatasetSource.read`."""
        members = {part: [row for row in self._rows if row.split == part] for part in parts} or {"train": self._rows}
        first = self._rows[0]
        if _NUMBERED.fullmatch(first.path):
            classes, splits = self._read_idx(members)
        else:
            if not os.path.lexists(place := os.path.join(self.root, first.path)):
                raise UsageError(f"{self.path}, line {first.line}: there is no {place}; have the images moved?")
            classes = tuple(sorted({row.label for row in self._rows}))
            numbers = {name: number for number, name in enumerate(classes)}
            splits = {
                part: Split(
                    [Source(os.path.join(self.root, row.path.replace("/", os.sep))) for row in rows],
                    np.array([numbers[row.label] for row in rows], np.int64),
                )
                for part, rows in members.items()
            }
        return Parsed(classes, splits, lambda: [row.path for row in members["train"]])

    def _read_idx(self, members: Mapping[str, list[Row]]) -> tuple[tuple[str, ...], dict[str, Split]]:
        """The images of IDX files, whose own labels must be those of the table."""
        folder = idx_folder.open_folder(self.root)
        if folder is None:
            raise UsageError(f"{self.path} takes its images from IDX files, and {self.root} has none.")
        whole = folder.read(folder.parts)
        # Which part of the original each file is, by its name.
        files = {split.sources.name: split for split in whole.splits.values() if isinstance(split.sources, IdxImages)}
        splits: dict[str, Split] = {}
        for part, rows in members.items():
            matches = [_NUMBERED.fullmatch(row.path) for row in rows]
            names = {
                os.path.join(self.root, match["file"]) if match else row.path
                for match, row in zip(matches, rows, strict=True)
            }
            name = names.pop()
            if names or name not in files:
                raise UsageError(
                    f"{self.path} takes the images of '{part}' from {name}; expected is one IDX file of {self.root} "
                    "for each part."
                )
            split = files[name]
            numbers = np.array([int(match["number"]) for match in matches if match], np.int64)
            for row, number in zip(rows, numbers, strict=True):
                if number >= len(split) or whole.classes[split.labels[number]] != row.label:
                    raise UsageError(
                        f"{self.path}, line {row.line}: {row.path} is no image of '{row.label}' in {self.root}."
                    )
            splits[part] = split.take(numbers)
        return whole.classes, splits


def open_table(path: str) -> Table | None:
    """Open a table, or the ``labels.csv`` of a folder without subfolders; ``None`` if there is neither."""
    if os.path.isdir(path):
        table = os.path.join(path, FOLDER_TABLE)
        is_flat = os.path.isfile(table) and not any(os.path.isdir(entry.path) for entry in os.scandir(path))
        return Table(table) if is_flat else None
    return Table(path) if _is_table(path) and os.path.exists(path) else None


def to_csv(rows: Iterable[Mapping[str, str]]) -> bytes:
    """A recorded division as a table; bytes of a name that are no UTF-8 stay what they are."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8", "surrogateescape")


def find_root(path: str) -> str:
    """The folder that paths of a division are relative to: the dataset in ``config.yaml`` beside it, or its own."""
    root, seen = path, set()
    # The dataset of a run may be the table of an earlier one.
    while _is_table(root) and root not in seen:
        seen.add(root)
        own = os.path.dirname(root)
        root = _recorded(os.path.join(own, "config.yaml")) or own or os.curdir
    if not os.path.isdir(root):
        raise UsageError(f"The images of {path} were in {root}, which is not there any more.")
    return root


def _is_table(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in DELIMITERS


def _recorded(config: str) -> str | None:
    """The dataset that a run's configuration names."""
    # Imported here because most datasets are folders.
    import yaml

    try:
        with open(config, encoding="utf-8") as file:
            values = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    dataset = values.get("dataset") if isinstance(values, dict) else None
    return dataset if isinstance(dataset, str) else None


def _read_rows(path: str) -> tuple[list[str], list[Row]]:
    """The header and the lines of a table, checked one by one."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.reader(file, delimiter=DELIMITERS[os.path.splitext(path)[1].lower()])
            header = next(reader, [])
            lines = [(reader.line_num, cells + [""] * (len(header) - len(cells))) for cells in reader if cells]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {describe_os_error(error)}.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no table of comma-separated values: {error}.") from error
    columns = {name: number for number, name in enumerate(header)}
    place = next((name for name in PATHS if name in columns), None)
    if place is None:
        raise UsageError(f"{path} has no column 'path' or 'file'; it also needs one of {', '.join(LABELS)}.")
    if not lines:
        raise UsageError(f"{path} has no lines below its header.")
    label = next((name for name in LABELS if name in columns and any(cells[columns[name]] for _, cells in lines)), None)
    if label is None:
        raise UsageError(f"{path} has no classes; it needs one of the columns {', '.join(LABELS)}.")
    rows = []
    for line, cells in lines:
        row = Row(
            line, cells[columns[place]], cells[columns[label]], cells[columns["split"]] if "split" in columns else ""
        )
        if not row.path or not row.label:
            raise UsageError(f"{path}, line {line}: '{place}' and '{label}' are needed.")
        if "split" in columns and row.split not in PARTS:
            raise UsageError(f"{path}, line {line}: the split is train, val or test. Received: '{row.split}'")
        rows.append(row)
    return header, rows
