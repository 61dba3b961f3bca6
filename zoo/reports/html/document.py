"""The frame of every page that zoo writes: one HTML file that loads nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from zoo._version import __version__
from zoo.reports.html.markup import Markup, joined, tag


def document(
    title: str, *body: Markup | None, style: Markup | None = None, script: Markup, images: str = "data:"
) -> Markup:
    """A whole page.

    Args:
        title: stands in the window's frame.
        *body: what the page holds.
        style: more of the style sheet, after that of all pages.
        script: runs at the end.
        images: where images may come from, as a Content-Security-Policy has it.
    """
    style = joined([shipped("style.css"), style])
    # Nothing may be fetched, and no other script may run, whatever a name of a class or file holds.
    policy = f"default-src 'none'; img-src {images}; style-src {_digest(style)}; script-src {_digest(script)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="generator", content="zoo"),
        tag("title", title),
        tag("style", style),
    )
    page = tag("html", head, tag("body", *body, tag("script", script)), lang="en")
    return joined([Markup("<!DOCTYPE html>\n"), page, Markup("\n")])


def written_by() -> str:
    """Who wrote the page, for its last line."""
    return f"Written by zoo {__version__}. This page is complete in itself: it loads nothing."


def shipped(name: str, beside: str = __file__) -> Markup:
    """A file of a package, as it is: one that lies beside a module."""
    return Markup(Path(beside).with_name(name).read_text(encoding="utf-8"))


def _digest(text: str) -> str:
    """What a Content-Security-Policy calls a text by."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
