"""Drawing: the size of a chart, and its lines and words.

Each chart is drawn for a width of :data:`WIDTH`, which is about what a telephone has, so that type stays legible there;
a wider page puts two side by side. Colours come from the page's style sheet, so that they suit light and dark.
"""

from __future__ import annotations

from zoo.reports.html.markup import Markup, tag

#: Units of a drawing, which are pixels where it has its full size.
WIDTH = 440


def chart(title: str, *parts: Markup, height: int, label: str, note: Markup | None = None) -> Markup:
    """A ``figure`` with its title above; ``label`` tells those who do not see it what it shows."""
    drawing = tag("svg", *parts, viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=label)
    return tag("figure", tag("figcaption", title), drawing, note, class_="chart")


def line(name: str, x1: float, y1: float, x2: float, y2: float, *inside: Markup) -> Markup:
    """A line from one point to another."""
    return tag("line", *inside, class_=name, x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}")


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
    """Words whose ``start``, ``middle`` or ``end`` is at a point of their base line."""
    return tag("text", words, class_=name, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
