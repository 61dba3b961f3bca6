"""Charts in SVG, whose colours come from the style sheet of the page, for light and dark screens.

A chart is drawn for :data:`WIDTH` pixels, about the width of a telephone, so that its text stays legible there.
"""

from __future__ import annotations

from typing import Any

from zoo.reports.html.markup import Markup, tag
from zoo.reports.numbers import is_number

#: The width of a chart in its own units, which are pixels at full size.
WIDTH = 440


def chart(title: str, *parts: Markup, height: int, label: str, note: Markup | None = None) -> Markup:
    """A ``figure`` with a title; ``label`` describes it to those who cannot see it."""
    drawing = tag("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)
    return tag("figure", tag("figcaption", title), drawing, note, class_="chart")


def line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A line of the class ``name`` from one point to another."""
    return tag("line", class_=name, x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}")


def box(
    name: str, x: float, y: float, width: float, height: float, *inside: Markup, round_: float | None = None
) -> Markup:
    """A rectangle."""
    size = {"width": f"{width:.1f}", "height": f"{height:.1f}"}
    return tag("rect", *inside, class_=name, x=f"{x:.1f}", y=f"{y:.1f}", **size, rx=round_)


def dot(name: str, x: float, y: float, radius: float) -> Markup:
    """A disc."""
    return tag("circle", class_=name, cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius)


def text(words: str, x: float, y: float, anchor: str, name: str | None = None) -> Markup:
    """Text whose ``start``, ``middle`` or ``end`` is at a point of its baseline."""
    return tag("text", words, class_=name, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def bar(share: Any) -> Markup:
    """A small bar of a share, 0-1, for a table; nothing for what is not a number."""
    if not is_number(share):
        return Markup()
    # As short as possible, because there may be thousands of them; its background is in the style sheet.
    return tag("svg", tag("path", d=f"M0 3h{60 * share:.1f}"), class_="bar", viewBox="0 0 60 6")
