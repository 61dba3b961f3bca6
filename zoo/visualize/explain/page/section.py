"""The section of one image: the image under a map, its predictions, and all maps to choose from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.catalog.labels import display
from zoo.reports.html.image_cards import file_name, image_card
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.svg import bar
from zoo.reports.numbers import percent
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.methods import METHODS
from zoo.visualize.explain.page import guide, rasters
from zoo.visualize.explain.sheet import best, by_class
from zoo.visualize.network.display import TINY

#: Initial value of the slider, of 100; the map over the grey image.
BLEND = 50


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest images of an index."""

    #: Path and cosine similarity, the nearest first.
    matches: Sequence[tuple[str, float]]
    #: Names of the index and of the model that made it.
    index: str
    model: str | None
    #: Why the search failed.
    error: str | None = None


def section(number: int, record: Explained, image: np.ndarray, near: Neighbours | None) -> Markup:
    """The section of an image, numbered from 1; ``image`` is uint8 RGB (height, width, 3) for display."""
    name, shown = f"p{number}", file_name(record.path)
    groups = by_class(record)
    first = best(groups[0]) or groups[0][0]
    height, width = image.shape[:2]
    box = f"0 0 {width} {height}"
    stage = tag(
        "svg",
        tag("image", class_="photo", id=f"{name}-photo", href=rasters.photograph(image), **_whole(width, height)),
        tag("use", class_="map", href=f"#{name}-m{record.explanations.index(first)}"),
        viewBox=box,
        class_="stage tiny" if max(height, width) <= TINY else "stage",
        role="img",
        aria_label=f"{shown}, with the chosen map over it",
    )
    rows, count = [], itertools.count()
    for group in groups:
        marked = best(group)
        tiles = [
            _tile(name, next(count), one, box, _whole(width, height), chosen=one is first, marked=one is marked)
            for one in group
        ]
        head = tag("h4", display(group[0].label), " ", tag("span", percent(group[0].score), class_="quiet"))
        rows.append(tag("div", head, tag("div", *tiles, class_="tiles"), class_="class"))
    left = tag(
        "div",
        stage,
        slider(f"From the image to the map, for {shown}", "blend"),
        tag("div", class_="said", aria_live="polite"),
        class_="left",
    )
    right = tag(
        "div",
        tag("h3", "Predictions"),
        _predictions(record),
        tag("fieldset", tag("legend", "Where it sees them"), *rows),
        class_="right",
    )
    return tag(
        "section",
        tag("h2", shown, " ", tag("span", f"{number}", class_="quiet small")),
        tag("p", tag("code", record.path), class_="quiet small") if shown != record.path else None,
        tag("div", left, right, class_="explained"),
        _neighbours(near) if near is not None else None,
        id=name,
        aria_label=shown,
    )


def slider(label: str, name: str | None = None) -> Markup:
    """The slider from image to map."""
    return tag(
        "label",
        tag("span", "image"),
        tag("input", type="range", min=0, max=100, value=BLEND, class_=name, aria_label=label),
        tag("span", "map"),
        class_="slider",
    )


def links(names: Sequence[tuple[int, str]]) -> Markup:
    """Links to the sections, by number and path."""
    anchors = [tag("a", file_name(path), href=f"#p{number}") for number, path in names]
    return tag("nav", joined(anchors), aria_label="Images")


def _tile(
    name: str, place: int, one: Explanation, box: str, whole: dict[str, object], *, chosen: bool, marked: bool
) -> Markup:
    """A map to choose, over the image, with the text that is shown below the large image once it is chosen."""
    title, key = METHODS[one.method].load().title, f"{name}-m{place}"
    layer = tag("g", id=key) if one.blank else tag("image", id=key, href=rasters.heat(one.map), **whole)
    scores = one.faithfulness
    numbers = None
    if scores is not None:
        numbers = joined(
            tag("span", f"{what} {area:.2f}", class_="quiet")
            for what, area in (("deletion", scores.deletion), ("insertion", scores.insertion))
        )
    told = [
        tag("b", f"{title}: {display(one.label)} {percent(one.score)}"),
        f"layer {one.layer}" if one.layer else "the pixels themselves",
        *guide.scores(one),
        *([f"Blank: {one.blank}."] if one.blank else []),
    ]
    return tag(
        "label",
        tag("input", type="radio", name=name, value=place, checked=chosen, data_method=one.method),
        tag("svg", tag("use", class_="photo", href=f"#{name}-photo"), layer, viewBox=box, aria_hidden="true"),
        tag("span", title, class_="method"),
        tag("span", "blank", class_="quiet") if one.blank else numbers,
        tag("span", *(tag("span", part) for part in told), class_="told"),
        class_="tile best" if marked else "tile",
    )


def _predictions(record: Explained) -> Markup:
    """The most probable classes, with bars."""
    rows = [
        tag(
            "tr",
            tag("th", display(one.label), scope="row"),
            tag("td", bar(one.score), tag("span", percent(one.score)), class_="num"),
        )
        for one in record.predictions
    ]
    return tag("table", tag("tbody", *rows), class_="answers")


def _neighbours(near: Neighbours) -> Markup:
    by = f" by {near.model}" if near.model else ""
    if near.error is not None or not near.matches:
        shown = tag("p", near.error or "There are no other images in the index.", class_="quiet")
    else:
        cards = (image_card(path, tag("span", f"{score:.3f}")) for path, score in near.matches)
        shown = tag("div", *cards, class_="gallery")
    head = tag("h3", "Most similar images", " ", tag("span", f"in {near.index}{by}", class_="quiet small"))
    return tag("div", head, shown, class_="near")


def _whole(width: int, height: int) -> dict[str, object]:
    """Attributes of an image that fills its drawing."""
    return {"width": width, "height": height, "preserveAspectRatio": "none"}
