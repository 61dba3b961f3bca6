"""What points are coloured by: the folders of the images, or what a table says of them."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources.table import LABELS, PATHS
from zoo.images.folders import natural
from zoo.images.sources import reason

#: More labels than this cannot be told apart; the largest are named, the others are one.
MOST = 40
#: The label of an image of which nothing is said, or whose own is not among the largest.
NONE = -1

#: Columns of a table that say what an image is, the first that there is: those of ``zoo cluster`` and ``zoo
#: classify``, and those of a dataset.
COLUMNS = ("label", "cluster", "label1", *LABELS[1:])


@dataclass(frozen=True, eq=False)
class Labels:
    """A label for each image.

    Attributes:
        names: in natural order.
        numbers: int64 (n,), indices into ``names``, or :data:`NONE`.
        kind: what they are, such as ``"folder"``; empty where there are none.
        rest: what the images with :data:`NONE` are called; empty where there are none.
    """

    names: tuple[str, ...]
    numbers: np.ndarray
    kind: str = ""
    rest: str = ""

    def of(self, index: int) -> str | None:
        """The label of an image."""
        number = int(self.numbers[index])
        return None if number == NONE else self.names[number]


def find(request: str, paths: Sequence[str]) -> Labels:
    """The labels that were asked for.

    Args:
        request: ``"auto"``: by folder where there are 2 to :data:`MOST` of them; ``"folder"``, ``"none"``; or a table
            in CSV, JSON or JSON lines.
        paths: of the images.

    Raises:
        UsageError: the table cannot be read, has no suitable columns, or names none of the images.
    """
    if request == "none":
        return unlabelled(len(paths))
    if request in ("auto", "folder"):
        names = [folder(path) for path in paths]
        if request == "auto" and not 2 <= len(set(names)) <= MOST:
            return unlabelled(len(paths))
        return named(names, "folder", "in other folders")
    return _of_table(request, paths)


def unlabelled(count: int) -> Labels:
    """No labels for so many images."""
    return Labels((), np.full(count, NONE, np.int64))


def folder(path: str) -> str:
    """The name of the folder that an image is in; a dot where its path says none."""
    parts = re.split(r"[/\\]", path)
    return (parts[-2] if len(parts) > 1 else "") or "."


def named(names: Sequence[str | None], kind: str, others: str) -> Labels:
    """Labels of the names, of which the :data:`MOST` most frequent are kept.

    Args:
        names: one for each image, ``None`` where there is none.
        kind: what they are.
        others: what the images are called that have another name.
    """
    counts = Counter(name for name in names if name is not None)
    kept = sorted((name for name, _ in counts.most_common(MOST)), key=natural)
    numbers = {name: number for number, name in enumerate(kept)}
    found = np.array([NONE if name is None else numbers.get(name, NONE) for name in names], np.int64)
    rest = "" if (found != NONE).all() else others if len(counts) > MOST else f"without a {kind}"
    return Labels(tuple(kept), found, kind, rest)


def _of_table(file: str, paths: Sequence[str]) -> Labels:
    """Labels by the path of an image, as it was typed or as it stands below the folder of the table."""
    column, rows = _read(file)
    root = os.path.dirname(file)
    labels: dict[str, str | None] = {}
    for path, label in rows:
        labels.setdefault(os.path.abspath(os.path.join(root, path)), label)
    labels |= {os.path.abspath(path): label for path, label in rows}
    full = [os.path.abspath(path) for path in paths]
    if not any(path in labels for path in full):
        raise UsageError(
            f"{file} says nothing of any image on the map; it has paths such as {rows[0][0]}, the map {paths[0]}."
        )
    kind = "cluster" if column == "cluster" else "label"
    return named([labels.get(path) for path in full], kind, f"with another {kind}")


def _read(file: str) -> tuple[str, list[tuple[str, str | None]]]:
    """The column that was taken, and for each row its path and label, ``None`` where it has none."""
    try:
        with open(file, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            table = list(_rows(file, stream.read()))
    except OSError as error:
        raise UsageError(f"--labels takes folder, none, or a table; {file} cannot be read: {reason(error)}.") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no table in CSV, JSON or JSON lines: {error}.") from error
    place = next((name for name in PATHS if any(row.get(name) for row in table)), None)
    if place is None:
        raise UsageError(f"{file} has no column 'path' or 'file' that says which image a row is about.")
    column = next((name for name in COLUMNS if any(_text(row.get(name)) for row in table)), None)
    if column is None:
        raise UsageError(f"{file} has no labels; expected is one of the columns {', '.join(COLUMNS)}.")
    return column, [(str(row[place]), _text(row.get(column))) for row in table if row.get(place)]


def _rows(file: str, text: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a table. What ``zoo classify`` writes as JSON has its labels one level down."""
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
    """A label as text; nothing, and the number of no cluster, is none."""
    if value is None or value in ("", -1, "-1"):
        return None
    return str(value)
