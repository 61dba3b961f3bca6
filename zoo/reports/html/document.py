"""The frame of every page: one HTML file that loads nothing and runs only its own script."""

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
        title: of the window.
        *body: the content of the page.
        style: a style sheet after that of all pages.
        script: run at the end.
        images: sources of images in the Content-Security-Policy.
    """
    style = joined([shipped("style.css"), style])
    # Whatever a class or file is called, nothing may be fetched, and no other script may run.
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
    """The last line of a page."""
    return f"Written by zoo {__version__}. This page loads nothing else."


def shipped(name: str, beside: str = __file__) -> Markup:
    """The text of a file beside a module."""
    return Markup(Path(beside).with_name(name).read_text(encoding="utf-8"))


def _digest(text: str) -> str:
    """The hash of a text for a Content-Security-Policy."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
