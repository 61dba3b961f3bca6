"""The page of a map: every image a dot, and everything that is needed to look at them in one file."""

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
from zoo.reports.html import tables
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, escaped, joined, tag
from zoo.search.map import controls, sprites
from zoo.search.map.embedding import NEIGHBOURS, TITLES
from zoo.search.map.labels import NONE
from zoo.search.map.projection import Map

#: Places on the page are whole numbers from 0 to this; a screen has no finer ones.
_GRID = 65535
#: The parts of the script, in order.
_SCRIPTS = ("points.js", "stamps.js", "drawing.js", "pointer.js", "panels.js")


@dataclass(frozen=True)
class Written:
    """What was written: the path, its bytes, and (path, reason) of the images that are grey on it."""

    path: Path
    bytes: int
    missing: tuple[tuple[str, str], ...]


def write(found: Map, path: str | os.PathLike[str], progress: sprites.Progress | None = None) -> Written:
    """Write the page, whole or not at all; an earlier one stays until then.

    Args:
        found: the map.
        path: of the file.
        progress: called with the thumbnails done and those in all.

    Raises:
        UnavailableError: it cannot be written, e.g. because the disk is full.
    """
    target = Path(path)
    # A thumbnail costs an image to be decoded: that the folder is not there is said before that.
    with output.opened(target) as stream:
        text, missing = _page(found, os.path.dirname(os.path.abspath(target)), progress)
        stream.write(text)
    return Written(target, len(text.encode()), missing)


def _page(found: Map, folder: str, progress: sprites.Progress | None) -> tuple[Markup, tuple[tuple[str, str], ...]]:
    """The page as text, and the images that are grey on it."""
    # Neighbours on the map are neighbours on a sheet, so that a browser needs few sheets for a part of the map.
    grid = _to_grid(found.places)
    order = np.argsort(_interleaved(grid), kind="stable")
    paths = [found.paths[index] for index in order.tolist()]
    form = sprites.layout(paths)
    drawn = []
    missing: list[tuple[int, str]] = []
    for sheet in sprites.sheets(paths, form, progress):
        text = Markup(base64.b64encode(sheet.jpeg).decode("ascii"))
        drawn.append(tag("script", text, type="text/plain", class_="sheet"))
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
        "extent": _extent(found.places),
        **_files(paths, folder),
    }
    notes = _notes(found, gone)
    body = [
        tag(
            "main",
            tag(
                "header",
                tag("h1", _title(found)),
                tag("p", _summary(found), class_="quiet"),
                *(tag("p", note, class_="note") for note in notes),
            ),
            controls.stage(len(found)),
        ),
        tag(
            "aside",
            controls.panels(),
            tag("details", tag("summary", "About this map"), tables.facts(_facts(found)), class_="about"),
            tag("footer", f"{written_by()} Only an image that is chosen is read from its file."),
            aria_label="Labels, search and selection",
        ),
        *drawn,
        tag("script", Markup(_json(data)), type="application/json", id="data"),
    ]
    page = document(
        f"Map of {_title(found)}",
        *body,
        style=shipped("map.css", __file__),
        script=joined(shipped(name, __file__) for name in _SCRIPTS),
        images="data: 'self' file:",
    )
    return page, gone


def _title(found: Map) -> str:
    return os.path.basename(os.path.normpath(found.index))


def _summary(found: Map) -> str:
    """What is on the map, in one line."""
    images = "1 image" if len(found) == 1 else f"{len(found):,} images"
    layer = found.about.get("layer")
    network = [str(found.about[key]) for key in ("model",) if found.about.get(key)] + ([str(layer)] if layer else [])
    network = [os.path.basename(network[0]), *network[1:]] if network else []
    return " · ".join([images, *network, TITLES[found.method]])


def _notes(found: Map, gone: Sequence[tuple[str, str]]) -> list[str]:
    """What is not as one would expect."""
    notes = []
    asked = len(found) + len(found.unusable)
    if asked < found.total:
        notes.append(f"{asked:,} of {found.total:,} vectors, drawn at random; --points N shows more.")
    if found.unusable:
        notes.append(f"{len(found.unusable):,} left out, because their vectors are not made of finite numbers.")
    if gone:
        notes.append(f"{len(gone):,} grey, because their files cannot be read any more; the first: {gone[0][1]}.")
    if not found.places.any() and len(found) > 1:
        notes.append("All vectors are equal, so that there is one place for all.")
    return notes


def _facts(found: Map) -> list[tuple[str, Any]]:
    about = found.about
    facts = [
        ("vectors", found.index),
        ("network", about.get("model")),
        ("layer", about.get("layer")),
        ("pooling", about.get("pool")),
        ("numbers in a vector", found.dim),
        ("compared by", "direction (cosine)" if found.metric == "cosine" else "place (Euclidean)"),
        ("placed by", f"{TITLES[found.method]} ({found.why})"),
        ("neighbours", found.neighbours or NEIGHBOURS.get(found.method)),
        ("variance kept", f"{100 * found.variance:.0f}\N{NO-BREAK SPACE}%"),
        ("seed", found.seed),
    ]
    return [(name, value) for name, value in facts if value not in (None, "")]


def _files(paths: Sequence[str], folder: str) -> dict[str, Any]:
    """The paths of the images, folders apart, and where a browser finds those below the folder of the page."""
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
    """Where a browser finds a folder that lies below that of the page, or an address; ``None`` for any other."""
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


def _to_grid(places: np.ndarray) -> np.ndarray:
    """Places as whole numbers, uint16 (n, 2), both axes to the same scale, in the middle; y grows downwards."""
    low, high = places.min(axis=0).astype(np.float64), places.max(axis=0).astype(np.float64)
    scale = _GRID / ((high - low).max() or 1.0)
    centred = (places - (low + high) / 2) * scale * (1, -1) + _GRID / 2
    grid: np.ndarray = np.clip(np.rint(centred), 0, _GRID).astype(np.uint16)
    return grid


def _extent(places: np.ndarray) -> dict[str, float]:
    """What turns a whole number back into a place: the middle, and how long the longer axis is."""
    low, high = places.min(axis=0).astype(np.float64), places.max(axis=0).astype(np.float64)
    middle = (low + high) / 2
    return {"x": float(middle[0]), "y": float(middle[1]), "size": float((high - low).max()) or 1.0}


def _interleaved(grid: np.ndarray) -> np.ndarray:
    """Where places stand on a curve through all that keeps neighbours close (Morton, 1966): uint64 (n,)."""
    code = np.zeros(len(grid), np.uint64)
    for axis in (0, 1):
        bits = grid[:, axis].astype(np.uint64)
        for bit in range(16):
            code |= ((bits >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return code


def _packed(values: np.ndarray, kind: str = "<u2") -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(kind)).tobytes()).decode("ascii")


def _json(data: dict[str, Any]) -> str:
    """JSON that no name can end: ``</script>`` and ``<!--`` begin with a sign that is escaped."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _visible(text: str) -> str:
    """A name as pages show it, signs without a look in hexadecimal; a script shows it as text, not as HTML."""
    return html.unescape(escaped(text))
