"""A recorded division, ``split.csv``: a table with the columns path, label and split that can be read back."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources import mnist
from zoo.data.sources.idx import Images
from zoo.data.split import PARTS, Split
from zoo.images.sources import Source, reason

COLUMNS = ("path", "label", "split")

#: An image of an IDX file: the file, and which of its images.
_NUMBERED = re.compile(r"(?P<file>.+-ubyte(?:\.gz|\.xz)?)\[(?P<number>\d+)\]")


@dataclass(frozen=True)
class Row:
    """One line of the table, and where it stands."""

    line: int
    path: str
    label: str
    split: str


def text(rows: Iterable[Mapping[str, str]]) -> str:
    """The table as text; bytes of a name that are no UTF-8 are escaped as Python has them in memory."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write(path: str | os.PathLike[str], rows: Iterable[Mapping[str, str]]) -> None:
    """Write a table; atomic.

    Raises:
        OSError: the disk is full or cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.part")
    try:
        temporary.write_bytes(text(rows).encode("utf-8", "surrogateescape"))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str, root: str) -> tuple[tuple[str, ...], dict[str, Split]]:
    """The classes, sorted by name or as ``labels.txt`` has them, and the parts that a table describes.

    Args:
        path: the table.
        root: the folder that paths in it begin at, where they are not absolute.

    Raises:
        UsageError: it is no such table, or names an IDX file that is not there.
    """
    rows = _rows(path)
    if _NUMBERED.fullmatch(rows[0].path):
        return _numbered(path, rows, root)
    classes = tuple(sorted({row.label for row in rows}))
    numbers = {name: number for number, name in enumerate(classes)}
    first = os.path.join(root, rows[0].path)
    if not os.path.lexists(first):
        raise UsageError(f"{path}, line {rows[0].line}: there is no {first}; have the images moved?")
    splits = {}
    for part in PARTS:
        members = [row for row in rows if row.split == part]
        if members:
            sources = [Source(os.path.join(root, row.path.replace("/", os.sep))) for row in members]
            splits[part] = Split(sources, np.array([numbers[row.label] for row in members], np.int64))
    return classes, splits


def find_root(path: str) -> str:
    """The folder that the paths of a table begin at: that of the dataset in ``config.yaml`` beside it, else its own.

    Raises:
        UsageError: the dataset is not there any more.
    """
    root, seen = path, set()
    # The dataset of a run may be the table of an earlier one.
    while root.lower().endswith(".csv") and root not in seen:
        seen.add(root)
        own = os.path.dirname(root)
        root = _recorded(os.path.join(own, "config.yaml")) or own or os.curdir
    if not os.path.isdir(root):
        raise UsageError(f"The images of {path} were in {root}, which is not there any more.")
    return root


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


def _numbered(path: str, rows: list[Row], root: str) -> tuple[tuple[str, ...], dict[str, Split]]:
    """The same for images of IDX files, whose own labels must be those of the table."""
    classes, whole = mnist.read(root)
    # Which part of the original each file is, by its name.
    files = {split.sources.name: split for split in whole.values() if isinstance(split.sources, Images)}
    splits: dict[str, Split] = {}
    for part in PARTS:
        members = [row for row in rows if row.split == part]
        if not members:
            continue
        matches = [_NUMBERED.fullmatch(row.path) for row in members]
        names = {
            os.path.join(root, match["file"]) if match else row.path
            for match, row in zip(matches, members, strict=True)
        }
        name = names.pop()
        if names or name not in files:
            raise UsageError(
                f"{path} takes the images of '{part}' from {name}; expected is one IDX file of {root} for each part."
            )
        split = files[name]
        numbers = np.array([int(match["number"]) for match in matches if match], np.int64)
        for row, number in zip(members, numbers, strict=True):
            if number >= len(split) or classes[split.labels[number]] != row.label:
                raise UsageError(f"{path}, line {row.line}: {row.path} is no image of '{row.label}' in {root}.")
        splits[part] = split.take(numbers)
    return classes, splits


def _rows(path: str) -> list[Row]:
    """The lines of a table, checked one by one."""
    rows = []
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise UsageError(
                    f"{path} has no column '{missing[0]}'; expected are the columns path, label and split."
                )
            for entry in reader:
                row = Row(reader.line_num, *(entry[column] or "" for column in COLUMNS))
                if not row.path or not row.label:
                    raise UsageError(f"{path}, line {row.line}: a path and a label are needed.")
                if row.split not in PARTS:
                    raise UsageError(
                        f"{path}, line {row.line}: the split is train, val or test. Received: '{row.split}'"
                    )
                rows.append(row)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no table of comma-separated values: {error}.") from error
    if not rows:
        raise UsageError(f"{path} has no lines below its header.")
    return rows
