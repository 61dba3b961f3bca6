"""The HTML around the map: toolbar, search, labels, the chosen image, the selection."""

from __future__ import annotations

from zoo.reports.html.markup import Markup, tag

_KEYS = (
    ("drag, wheel, pinch", "move and zoom"),
    ("click", "show an image"),
    ("Shift + drag", "select with a lasso"),
    ("arrows", "go to the next image"),
    ("Shift + arrows", "move the map"),
    ("+ − 0", "zoom, show all"),
    ("Enter, Esc", "open the image, deselect all"),
)


def stage(count: int) -> Markup:
    """The canvas with its toolbar."""
    label = f"{count:,} images as points on a plane, similar ones close together. The arrow keys move between them."
    return tag(
        "div",
        tag("canvas", id="map", tabindex=0, role="img", aria_label=label),
        tag(
            "div",
            _group("Show", [("thumbnails", "Images"), ("names", "Names"), ("selecting", "Select")]),
            _group("Zoom", [("further", "−"), ("nearer", "+"), ("fit", "Fit")]),
            class_="tools",
        ),
        tag("div", tag("canvas", width=288, height=288), tag("span"), tag("span"), id="tip", hidden=True),
        tag("p", id="status", class_="unseen", role="status"),
        tag("noscript", tag("p", "The map needs JavaScript, which is disabled in this browser.", class_="note")),
        id="stage",
    )


def panels() -> Markup:
    """The panels beside the map, which a script fills."""
    parts = [
        tag(
            "section",
            tag("input", type="search", id="query", placeholder="Search paths", aria_label="Search paths"),
            tag("p", id="found", class_="quiet small", role="status"),
            tag("ul", id="results", class_="rows"),
        ),
        tag(
            "section",
            tag("div", tag("h2", id="what"), _button("close", "Close"), class_="heading"),
            tag("figure", id="large"),
            tag("code", id="path"),
            tag("p", id="place", class_="quiet small"),
            tag(
                "div",
                tag("a", "Open", id="open", target="_blank", rel="noopener"),
                _button("copy-path", "Copy path"),
                class_="actions",
            ),
            id="image",
            hidden=True,
        ),
        tag(
            "section",
            tag("div", tag("h2", id="chosen"), _button("unselect", "Clear"), class_="heading"),
            tag("p", id="tally", class_="quiet small"),
            tag("textarea", id="paths", readonly=True, spellcheck="false", aria_label="Paths of the selected images"),
            tag("div", _button("copy-paths", "Copy paths"), class_="actions"),
            id="selection",
            hidden=True,
        ),
        tag(
            "section",
            tag("div", tag("h2", id="kind"), _button("all", "All"), _button("none", "None"), class_="heading"),
            tag("ul", id="labels", class_="rows"),
            id="legend",
            hidden=True,
        ),
        tag(
            "details",
            tag("summary", "Mouse and keys"),
            tag("ul", *(tag("li", tag("kbd", key), f" {what}") for key, what in _KEYS), class_="keys"),
        ),
    ]
    return Markup("".join(parts))


def _group(label: str, buttons: list[tuple[str, str]]) -> Markup:
    return tag("div", *(_button(name, text) for name, text in buttons), role="group", aria_label=label)


def _button(name: str, text: str) -> Markup:
    names = {"−": "Zoom out", "+": "Zoom in", "Fit": "Show all"}
    return tag("button", text, type="button", id=name, aria_label=names.get(text))
