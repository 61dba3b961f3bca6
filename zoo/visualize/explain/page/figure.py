"""One image on the page: itself under a map, what the network says of it, and all maps to choose from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.errors import ImageError
from zoo.images import decode as images
from zoo.reports.html.estimates import bar
from zoo.reports.html.gallery import thumbnail
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.words import percent
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.page import rasters, words
from zoo.visualize.explain.sheet import best
from zoo.visualize.network.display import DOTS

if TYPE_CHECKING:
    from zoo.search.searcher import Found, Match

#: Where the slider stands at first, of 100: half is the map over the grey image.
BLEND = 50


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Images of an index that are most like one."""

    found: Found
    index: str
    model: str | None


def section(number: int, record: Explained, image: np.ndarray, near: Neighbours | None) -> Markup:
    """What there is to see of an image.

    Args:
        number: from 1.
        record: what was found in it, with one explanation at least.
        image: uint8 RGB (height, width, 3) of what the network sees, for people.
        near: images that are like it.
    """
    name = f"p{number}"
    shown = _short(record.path)
    groups = [list(group) for _, group in itertools.groupby(record.explanations, key=lambda one: one.index)]
    first = best(groups[0]) or groups[0][0]
    height, width = image.shape[:2]
    box = f"0 0 {width} {height}"
    tiny = max(height, width) <= DOTS
    stage = tag(
        "svg",
        tag("image", class_="photo", id=f"{name}-photo", href=rasters.photograph(image), **_whole(width, height)),
        tag("use", class_="map", href=_map_id(name, record.explanations.index(first))),
        viewBox=box,
        class_="stage tiny" if tiny else "stage",
        role="img",
        aria_label=f"{shown}, with the map that is chosen over it",
    )
    slider = tag(
        "label",
        tag("span", "picture"),
        tag(
            "input",
            type="range",
            min=0,
            max=100,
            value=BLEND,
            class_="blend",
            aria_label=f"From the image to the map, for {shown}",
        ),
        tag("span", "map"),
        class_="slider",
    )
    rows = []
    count = 0
    for group in groups:
        marked = best(group)
        tiles = []
        for one in group:
            tiles.append(_tile(name, count, one, box, width, height, chosen=one is first, marked=one is marked))
            count += 1
        head = tag("h4", group[0].label, " ", tag("span", percent(group[0].score), class_="quiet"))
        rows.append(tag("div", head, tag("div", *tiles, class_="tiles"), class_="class"))
    return tag(
        "section",
        tag("h2", shown, " ", tag("span", f"{number}", class_="quiet small")),
        tag("p", tag("code", record.path), class_="quiet small") if shown != record.path else None,
        tag(
            "div",
            tag("div", stage, slider, tag("div", class_="said", aria_live="polite"), class_="left"),
            tag(
                "div",
                tag("h3", "What the network says"),
                _answers(record),
                tag("fieldset", tag("legend", "Where it sees that"), *rows),
                class_="right",
            ),
            class_="picture",
        ),
        _neighbours(near) if near is not None else None,
        id=name,
        aria_label=shown,
    )


def _tile(
    name: str, place: int, one: Explanation, box: str, width: int, height: int, *, chosen: bool, marked: bool
) -> Markup:
    """A map to choose, over the image; what is said of it is there for the place below the large one."""
    map_ = (
        tag("image", id=_map_id(name, place)[1:], href=rasters.heat(one.map), **_whole(width, height))
        if one.blank is None
        else tag("g", id=_map_id(name, place)[1:])
    )
    drawn = tag("svg", tag("use", class_="photo", href=f"#{name}-photo"), map_, viewBox=box, aria_hidden="true")
    numbers = None
    if one.faithfulness is not None:
        gone, come = one.faithfulness.deletion, one.faithfulness.insertion
        numbers = joined(
            tag("span", f"{what} {area:.2f}", class_="quiet")
            for what, area in (("deletion", gone), ("insertion", come))
        )
    told = [
        tag("b", f"{words.title(one.method)}: {one.label} {percent(one.score)}"),
        f"layer {one.layer}" if one.layer else "the pixels themselves",
        words.scores(one),
        words.meaning(one),
        f"Blank: {one.blank}." if one.blank is not None else None,
    ]
    return tag(
        "label",
        tag("input", type="radio", name=name, value=place, checked=chosen, data_method=one.method),
        drawn,
        tag("span", words.title(one.method), class_="method"),
        tag("span", "blank", class_="quiet") if one.blank is not None else numbers,
        tag("span", *(tag("span", part) for part in told if part is not None), class_="told"),
        class_="tile best" if marked else "tile",
    )


def _answers(record: Explained) -> Markup:
    """The most probable classes, with bars."""
    rows = [
        tag(
            "tr",
            tag("th", prediction.label, scope="row"),
            tag("td", bar(prediction.score), tag("span", percent(prediction.score)), class_="num"),
        )
        for prediction in record.predictions
    ]
    return tag("table", tag("tbody", *rows), class_="answers")


def _neighbours(near: Neighbours) -> Markup:
    """Thumbnails of what is like the image, the nearest first."""
    by = f" by {near.model}" if near.model else ""
    head = tag("h3", "Most like it", " ", tag("span", f"in {near.index}{by}", class_="quiet small"))
    if near.found.error is not None:
        return tag("div", head, tag("p", near.found.error, class_="quiet"), class_="near")
    if not near.found.matches:
        return tag("div", head, tag("p", "Nothing else is in the index.", class_="quiet"), class_="near")
    return tag("div", head, tag("div", *map(_match, near.found.matches), class_="gallery"), class_="near")


def _match(match: Match) -> Markup:
    try:
        shown = thumbnail(images.decode(match.path))
    except ImageError as error:
        # It was there when the index was made; that it is gone costs its thumbnail alone.
        shown = tag("span", f"not shown: {error}", class_="missing")
    caption = tag(
        "figcaption",
        tag("span", f"{match.score:.3f}"),
        tag("span", _short(match.path), class_="path", title=match.path),
    )
    return tag("figure", tag("div", shown, class_="thumbs"), caption)


def _whole(width: int, height: int) -> dict[str, object]:
    """An image fills its drawing, whatever pixels it has."""
    return {"width": width, "height": height, "preserveAspectRatio": "none"}


def _map_id(name: str, place: int) -> str:
    return f"#{name}-m{place}"


def _short(path: str) -> str:
    """The name of a file, without folders."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] or path


def links(names: Sequence[tuple[int, str]]) -> Markup:
    """The way to each image."""
    return tag(
        "nav",
        joined([tag("a", _short(path), href=f"#p{number}") for number, path in names]),
        aria_label="Images",
    )
