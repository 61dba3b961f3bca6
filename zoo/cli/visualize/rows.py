"""Output rows of explanations, lines of a table, and maps as a ``.npz`` file."""

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
    """The row of a map; ``path`` is the file that shows it."""
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
    """Formats rows for a terminal: each image's path once, and a line for each of its maps."""

    def __init__(self) -> None:
        """Begin before the first row."""
        self._path: str | None = None

    def __call__(self, row: Mapping[str, Any]) -> str:
        """A row as text, with its line end."""
        from zoo.catalog.labels import display

        if row["status"] != "ok":
            return f"{row['path']}\n  {row['error']}\n"
        head = "" if row["path"] == self._path else f"{row['path']}\n"
        self._path = row["path"]
        line = f"  {row['score']:6.1%}  {display(row['label']):<24}  {row['method']:<20}"
        if row["deletion"] is not None:
            line += f"  deletion {row['deletion']:.3f}  insertion {row['insertion']:.3f}"
        if row["blank"]:
            line += f"  blank: {row['blank']}"
        return f"{head}{line.rstrip()}\n"


def write_arrays(record: Explained, path: Path) -> None:
    """Write all maps of an image as arrays, atomically.

    The file has ``picture`` uint8 (height, width, channels), ``map`` float32 (n, height, width), and for each of the n
    maps ``method``, ``layer`` (empty if none), ``index``, ``label``, ``score``, ``deletion`` and ``insertion`` (NaN if
    not measured); and ``values_METHOD`` float32 (classes, rows, columns), the maps before clipping and resizing.

    Raises:
        UnavailableError: it cannot be written.
    """
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
