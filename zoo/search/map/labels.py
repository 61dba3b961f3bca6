"""Labels that colour the points of a map: folder names, or a table."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.core.errors import UsageError, describe_os_error
from zoo.data.sources.table import LABELS, PATHS
from zoo.images.folders import natural
from zoo.search.sample import folder_name

#: Labels that can be told apart; beyond it the most frequent are named, the others are one.
MOST = 40
#: The number of an image without a label, or whose label is not among the most frequent.
NONE = -1

#: Label columns by preference: of ``zoo cluster``, of ``zoo classify``, and of a dataset.
COLUMNS = ("label", "cluster", "label1", *LABELS[1:])


@dataclass(frozen=True, eq=False)
class Labels:
    """A label for each image: ``numbers``, int64 (n,), index ``names`` or are :data:`NONE`, which ``rest`` captions."""

    names: tuple[str, ...]
    numbers: np.ndarray
    kind: str = ""
    rest: str = ""

    def of(self, index: int) -> str | None:
        """The label of an image."""
        number = int(self.numbers[index])
        return None if number == NONE else self.names[number]


def find(request: str, paths: Sequence[str]) -> Labels:
    """Labels by ``folder``, ``none``, a table in CSV, JSON or JSON lines, or ``auto``: 2 to :data:`MOST` folders."""
    folders = [folder_name(path) for path in paths] if request in ("auto", "folder") else []
    if request == "none" or (request == "auto" and not 2 <= len(set(folders)) <= MOST):
        return Labels((), np.full(len(paths), NONE, np.int64))
    if folders:
        return most_frequent(folders, "folder", "in other folders")
    return _of_table(request, paths)


def most_frequent(names: Sequence[str | None], kind: str, others: str) -> Labels:
    """The :data:`MOST` most frequent labels of names, ``None`` for no label; ``others`` captions the rest."""
    counts = Counter(name for name in names if name is not None)
    kept = sorted((name for name, _ in counts.most_common(MOST)), key=natural)
    numbers = {name: number for number, name in enumerate(kept)}
    found = np.array([NONE if name is None else numbers.get(name, NONE) for name in names], np.int64)
    rest = "" if (found != NONE).all() else others if len(counts) > MOST else f"without a {kind}"
    return Labels(tuple(kept), found, kind, rest)


def _of_table(file: str, paths: Sequence[str]) -> Labels:
    """Labels by path, relative to the working directory or else to the folder of the table."""
    column, rows = _read(file)
    root = os.path.dirname(file)
    labels: dict[str, str | None] = {}
    for path, label in rows:
        labels.setdefault(os.path.abspath(os.path.join(root, path)), label)
    labels |= {os.path.abspath(path): label for path, label in rows}
    full = [os.path.abspath(path) for path in paths]
    if not any(path in labels for path in full):
        raise UsageError(f"{file} names none of the images: it has paths such as {rows[0][0]}, the index {paths[0]}.")
    kind = "cluster" if column == "cluster" else "label"
    return most_frequent([labels.get(path) for path in full], kind, f"with another {kind}")


def _read(file: str) -> tuple[str, list[tuple[str, str | None]]]:
    """The label column, and the path and label of each row."""
    try:
        with open(file, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            table = list(_rows(file, stream.read()))
    except OSError as error:
        problem = describe_os_error(error)
        raise UsageError(f"--labels takes folder, none, or a table; {file} cannot be read: {problem}.") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no table in CSV, JSON or JSON lines: {error}.") from error
    place = next((name for name in PATHS if any(row.get(name) for row in table)), None)
    if place is None:
        raise UsageError(f"{file} has no column {' or '.join(map(repr, PATHS))} with the paths of images.")
    column = next((name for name in COLUMNS if any(_text(row.get(name)) for row in table)), None)
    if column is None:
        raise UsageError(f"{file} has no labels; expected one of the columns {', '.join(COLUMNS)}.")
    return column, [(str(row[place]), _text(row.get(column))) for row in table if row.get(place)]


def _rows(file: str, text: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a table; JSON of ``zoo classify`` has its labels in ``predictions``."""
    if file.lower().endswith(".csv"):
        yield from csv.DictReader(text.splitlines(keepends=True))
        return
    values = json.loads(text) if file.lower().endswith(".json") else [json.loads(line) for line in text.splitlines()]
    if isinstance(values, dict):
        values = values.get("pictures", [])
    for row in values:
        if not isinstance(row, dict):
            raise ValueError(f"a row is {str(row)[:40]} and not an object")
        best = (row.get("predictions") or [{}])[0]
        yield {"label": best["label"], **row} if "label" in best else row


def _text(value: Any) -> str | None:
    """A label as text; ``None`` for an empty one and for cluster -1."""
    return None if value is None or value in ("", -1, "-1") else str(value)
