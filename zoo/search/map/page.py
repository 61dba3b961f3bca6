"""The HTML page of a map: one file with the points, the thumbnails and the scripts."""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from zoo.core import output
from zoo.core.progress import Progress
from zoo.reports.html import tables
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, escaped, joined, tag
from zoo.search.map import thumbnails
from zoo.search.map.embedding import METHODS
from zoo.search.map.image_map import Map
from zoo.search.map.labels import NONE

#: Coordinates on the page are integers from 0 to this, finer than a screen.
_GRID = 65535
#: The parts of the script, in order.
_SCRIPTS = ("points.js", "markers.js", "drawing.js", "pointer.js", "panels.js")


@dataclass(frozen=True)
class WrittenPage:
    """A page that was written: its path, size in bytes, and (path, error) of the images that are grey on it."""

    path: Path
    bytes: int
    missing: tuple[tuple[str, str], ...]


def write_page(found: Map, path: str | os.PathLike[str], progress: Progress | None = None) -> WrittenPage:
    """Write the page, atomically."""
    target = Path(path)
    # Opened first: a missing folder is reported before images are decoded.
    with output.opened(target) as stream:
        text, missing = _page(found, os.path.dirname(os.path.abspath(target)), progress)
        stream.write(text)
    return WrittenPage(target, len(text.encode()), missing)


def _page(found: Map, folder: str, progress: Progress | None) -> tuple[Markup, tuple[tuple[str, str], ...]]:
    """The page, and the images that are grey on it."""
    # Neighbours on the map share a sheet, so that a browser decodes few sheets for a part of the map.
    low, high = (edge(axis=0).astype(np.float64) for edge in (found.places.min, found.places.max))
    middle, size = (low + high) / 2, float((high - low).max()) or 1.0
    grid = _to_grid(found.places, middle, size)
    order = np.argsort(_morton_code(grid), kind="stable")
    paths = [found.paths[index] for index in order.tolist()]
    form = thumbnails.layout(paths)
    sheets = []
    missing: list[tuple[int, str]] = []
    for sheet in thumbnails.sheets(paths, form, progress):
        text = Markup(base64.b64encode(sheet.jpeg).decode("ascii"))
        sheets.append(tag("script", text, type="text/plain", class_="sheet"))
        missing += sheet.missing
    gone = tuple((paths[index], reason) for index, reason in missing)
    data = {
        "points": _packed(grid[order]),
        "labels": _packed(np.where(found.labels.numbers == NONE, _GRID, found.labels.numbers)[order]),
        "names": [_visible(name) for name in found.labels.names],
        "kind": found.labels.kind,
        "rest": found.labels.rest,
        "missing": [index for index, _ in missing],
        "side": form.side,
        "columns": form.columns,
        "extent": {"x": float(middle[0]), "y": float(middle[1]), "size": size},
        **_files(paths, folder),
    }
    # No name may end the script: "</script>" and "<!--" begin with an escaped character.
    encoded = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    title = os.path.basename(os.path.normpath(found.index))
    body = [
        tag(
            "main",
            tag(
                "header",
                tag("h1", title),
                tag("p", _summary(found), class_="quiet"),
                *(tag("p", note, class_="note") for note in _notes(found, gone)),
            ),
            shipped("stage.html", __file__),
        ),
        tag(
            "aside",
            shipped("panels.html", __file__),
            tag("details", tag("summary", "About this map"), tables.facts(_facts(found)), class_="about"),
            tag("footer", f"{written_by()} Only an image that is shown is read from its file."),
            aria_label="Labels, search and selection",
        ),
        *sheets,
        tag("script", Markup(encoded), type="application/json", id="data"),
    ]
    page = document(
        f"Map of {title}",
        *body,
        style=shipped("map.css", __file__),
        script=joined(shipped(name, __file__) for name in _SCRIPTS),
        images="data: 'self' file:",
    )
    return page, gone


def _summary(found: Map) -> str:
    images = "1 image" if len(found) == 1 else f"{len(found):,} images"
    network = [os.path.basename(str(found.about["model"]))] if found.about.get("model") else []
    layer = [str(found.about["layer"])] if found.about.get("layer") else []
    return " · ".join([images, *network, *layer, METHODS[found.method].title])


def _notes(found: Map, gone: Sequence[tuple[str, str]]) -> list[str]:
    """Warnings above the map."""
    notes = []
    if found.drawn < found.total:
        notes.append(f"{found.drawn:,} of {found.total:,} vectors, drawn at random; --points N shows more.")
    if found.unusable:
        notes.append(f"{len(found.unusable):,} left out, because their vectors are not made of finite numbers.")
    if gone:
        notes.append(f"{len(gone):,} grey, because their files cannot be read any more; the first: {gone[0][1]}.")
    if not found.places.any() and len(found) > 1:
        notes.append("All vectors are equal and share one point.")
    return notes


def _facts(found: Map) -> list[tuple[str, Any]]:
    about = found.about
    facts = [
        ("vectors", found.index),
        ("network", about.get("model")),
        ("layer", about.get("layer")),
        ("pooling", about.get("pool")),
        ("numbers in a vector", found.dim),
        ("metric", found.metric),
        ("method", f"{METHODS[found.method].title} ({found.why})"),
        ("neighbours", found.neighbours or METHODS[found.method].neighbours),
        ("variance kept", f"{100 * found.variance:.0f}\N{NO-BREAK SPACE}%"),
        ("seed", found.seed),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


def _files(paths: Sequence[str], folder: str) -> dict[str, Any]:
    """The paths of the images, split into folders and names, and the links of folders below that of the page."""
    folders: dict[str, int] = {}
    places, names, odd = [], [], {}
    for index, path in enumerate(paths):
        head, tail = os.path.split(path)
        places.append(folders.setdefault(head, len(folders)))
        names.append(_visible(tail))
        if names[-1] != tail:
            odd[index] = quote(os.fsencode(tail))
    return {
        "separator": os.sep,
        "folders": [_visible(head) for head in folders],
        "links": [_link(head, folder) for head in folders],
        "folder": _packed(np.array(places, np.uint32), "<u4"),
        "files": names,
        "odd": odd,
    }


def _link(head: str, folder: str) -> str | None:
    """The relative link of a folder below that of the page, or a URL; ``None`` for any other folder."""
    if head.lower().startswith(("http://", "https://")):
        return head + "/"
    try:
        below = os.path.relpath(os.path.abspath(head), folder)
    except ValueError:
        # Another drive.
        return None
    if below == os.curdir:
        return "./"
    if below.split(os.sep)[0] == os.pardir:
        return None
    return "./" + quote(os.fsencode(below.replace(os.sep, "/"))) + "/"


def _to_grid(places: np.ndarray, middle: np.ndarray, size: float) -> np.ndarray:
    """Coordinates as integers, uint16 (n, 2), with one scale for both axes, centred; y grows downwards."""
    centred = (places - middle) * (_GRID / size) * (1, -1) + _GRID / 2
    grid: np.ndarray = np.clip(np.rint(centred), 0, _GRID).astype(np.uint16)
    return grid


def _morton_code(grid: np.ndarray) -> np.ndarray:
    """Position on a curve that keeps neighbours close (Morton, 1966): uint64 (n,)."""
    code = np.zeros(len(grid), np.uint64)
    for axis in (0, 1):
        bits = grid[:, axis].astype(np.uint64)
        for bit in range(16):
            code |= ((bits >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return code


def _packed(values: np.ndarray, kind: str = "<u2") -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(kind)).tobytes()).decode("ascii")


def _visible(text: str) -> str:
    """A name as pages show it, invisible characters in hexadecimal; a script inserts it as text."""
    return html.unescape(escaped(text))
