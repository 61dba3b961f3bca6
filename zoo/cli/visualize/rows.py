"""What is said of an explanation: a row of JSON or CSV, a line on a terminal, and its numbers in a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.visualize.explain.base import Explanation
    from zoo.visualize.explain.explain import Explained

COLUMNS = (
    *("path", "status", "model", "method", "layer", "index", "label", "score", "deletion", "insertion", "blank"),
    *("output", "error"),
)


def row(record: Explained, one: Explanation, path: Path | None) -> dict[str, Any]:
    """One map of an image, and where it was drawn."""
    scores = one.faithfulness
    return {
        "path": record.path,
        "status": "ok",
        "model": one.model,
        "method": one.method,
        "layer": one.layer,
        "index": one.index,
        "label": one.label,
        "score": round(one.score, 6),
        "deletion": None if scores is None else round(scores.deletion, 6),
        "insertion": None if scores is None else round(scores.insertion, 6),
        "blank": one.blank,
        "output": None if path is None else str(path),
    }


class Table:
    """Rows on a terminal: an image's path once, and a line for each of its maps."""

    def __init__(self) -> None:
        """Begin before the first row."""
        self._path: str | None = None

    def __call__(self, row: Mapping[str, Any]) -> str:
        """A row as text, with its line end."""
        if row["status"] != "ok":
            return f"{row['path']}\n  {row['error']}\n"
        head = "" if row["path"] == self._path else f"{row['path']}\n"
        self._path = row["path"]
        line = f"  {row['score']:6.1%}  {row['label']:<24}  {row['method']:<20}"
        if row["deletion"] is not None:
            line += f"  deletion {row['deletion']:.3f}  insertion {row['insertion']:.3f}"
        if row["blank"]:
            line += f"  blank: {row['blank']}"
        return f"{head}{line.rstrip()}\n"


def write_arrays(record: Explained, path: Path) -> None:
    """Write all maps of an image as numbers, whole or not at all.

    The file holds ``image`` uint8 (height, width, channels), ``map`` float32 (n, height, width), and for each of the
    n maps its ``method``, ``layer`` (empty where there is none), ``index``, ``label``, ``score``, ``deletion`` and
    ``insertion`` (not a number where they were not measured); and ``values_METHOD`` float32 (classes, rows, columns),
    what a method gave before it was clipped and enlarged.

    Raises:
        UnavailableError: it cannot be written.
    """
    # A sentence about a wrong option needs no arrays.
    import numpy as np

    from zoo.reports.plots.canvas import write_bytes

    found = record.explanations
    arrays: dict[str, Any] = {
        "picture": record.pixels,
        "map": np.stack([one.map for one in found]),
        "method": np.array([one.method for one in found]),
        "layer": np.array([one.layer or "" for one in found]),
        "index": np.array([one.index for one in found]),
        "label": np.array([one.label for one in found]),
        "score": np.array([one.score for one in found], "float32"),
    }
    for name in ("deletion", "insertion"):
        arrays[name] = np.array([getattr(one.faithfulness, name, np.nan) for one in found], "float32")
    for name in dict.fromkeys(one.method for one in found):
        arrays[f"values_{name}"] = np.stack([one.values for one in found if one.method == name])
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    write_bytes(data.getbuffer(), path)
