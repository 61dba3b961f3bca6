"""The whole SVG: columns of boxes and frames with figures beside them, a title and a legend."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.plots import canvas
from zoo.visualize.architecture import stage_boxes
from zoo.visualize.architecture.boxes import (
    LEADING,
    NARROWEST,
    SMALL,
    DrawnNode,
    TextLine,
    children,
    draw_text,
    group,
    output,
    path,
)
from zoo.visualize.architecture.column_breaks import break_into_columns
from zoo.visualize.architecture.graph import Vertex, format_count
from zoo.visualize.architecture.hierarchy import Edge, Frame
from zoo.visualize.architecture.layer_labels import KINDS
from zoo.visualize.architecture.layering import assign_layers
from zoo.visualize.architecture.layout import ROW_GAP, Layout, Link, Node, Point, lay_out

#: Margin, height of the title, space between columns, and height of the figures' headings.
MARGIN, TITLE, BETWEEN, HEAD = 24.0, 52.0, 34.0, 24.0
#: Distance of figures from the boxes, and from each other; and maximum length of a bar.
BESIDE, COLUMN_GAP, BAR = 16.0, 16.0, 44.0
#: A square of the legend, and its distance from the text.
SWATCH, SWATCH_GAP = 11.0, 6.0
_ARROW = {"viewBox": "0 0 6 6", "refX": 6, "refY": 3, "markerWidth": 6, "markerHeight": 6, "orient": "auto"}

_FIGURES = ("output", "parameters", "MACs")


@dataclass(frozen=True)
class _Column:
    """A column; the edge from the one before enters at ``entry``, that to the next leaves at ``exit``."""

    pieces: list[DrawnNode]
    items: list[Frame | Vertex]
    where: Layout
    entry: float
    exit: float


def svg(content: Frame, *, title: str, about: str, by_stage: bool, named: bool) -> str:
    """The text of an SVG file, which suits light and dark screens and loads nothing."""
    with canvas.style():
        # With two nodes in a row, figures cannot be beside it.
        rows = assign_layers(len(content.children), [(edge.source, edge.target) for edge in content.edges]).rows
        inline = any(sum(node < len(content.children) for node in row) > 1 for row in rows)
        pieces = (
            stage_boxes.stage_boxes(content.children, inline=inline)
            if by_stage
            else children(content.children, inline=inline, named=named)
        )
        columns = _columns(content, pieces)
        widths = [] if inline else _figure_widths(content.children)
        parts: list[Markup] = []
        left, bottom = MARGIN, 0.0
        turns: list[tuple[Point, Point, float]] = []
        before: tuple[Point, float] | None = None
        for column in columns:
            top = TITLE + (0 if inline else HEAD)
            end = (left + column.exit, top + column.where.height)
            begin = (left + column.entry, top)
            if before is not None:
                turns.append((before[0], begin, before[1]))
            parts.append(group(_column(column), left, top))
            right = left + column.where.width
            if not inline:
                parts.append(group(_figures(column, widths, content), right + BESIDE, top))
                right += BESIDE + sum(widths) + COLUMN_GAP * (len(widths) - 1)
            before = (end, right + BETWEEN / 2)
            bottom = max(bottom, end[1])
            left = right + BETWEEN
        parts += [_turn(*turn) for turn in turns]
        bottom = max([bottom, *(end[1] + ROW_GAP for end, *_ in turns)])
        legend, least, deep = _legend(_kinds(content), left - BETWEEN - MARGIN)
        parts.append(group(legend, MARGIN, bottom + 22))
        heading = [TextLine(title, strong=True), TextLine(about, small=True)]
        width = max(left - BETWEEN + MARGIN, least + 2 * MARGIN, 2 * MARGIN + max(line.width for line in heading) * 1.1)
        height = bottom + 22 + deep + MARGIN
        style = Path(__file__).with_name("svg.css").read_text(encoding="utf-8")
        whole = tag(
            "svg",
            tag("title", f"{title}: its architecture", id="title"),
            tag("desc", f"{about}. {_in_words(content)}", id="about"),
            tag("style", Markup(style)),
            tag("defs", tag("marker", tag("path", class_="tip", d="M0 0L6 3L0 6z"), id="arrow", **_ARROW)),
            tag("rect", class_="page", width="100%", height="100%"),
            tag("text", title, class_="heading", x=MARGIN, y=MARGIN + 8),
            draw_text(heading[1], MARGIN, MARGIN + 23, "start", width, "quiet"),
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            width=round(width),
            height=round(height),
            viewBox=f"0 0 {round(width)} {round(height)}",
            role="img",
            aria_labelledby="title about",
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n'


# Columns


def _columns(content: Frame, pieces: list[DrawnNode]) -> list[_Column]:
    """Break the model into columns where a single edge crosses."""
    count = len(pieces)
    cuts = [0]
    for number in range(1, count):
        crossing = {(edge.source, edge.output) for edge in content.edges if edge.source < number <= edge.target}
        if len(crossing) == 1:
            cuts.append(number)
    cuts.append(count)
    parts = [_part(content, pieces, a, b) for a, b in itertools.pairwise(cuts)]
    found = break_into_columns(
        [part.where.height for part in parts],
        ROW_GAP,
        lambda a, b: max(part.where.width for part in parts[a:b]) + 190,
        BETWEEN,
    )
    return [_part(content, pieces, cuts[a], cuts[b]) for a, b in found]


def _part(content: Frame, pieces: list[DrawnNode], start: int, end: int) -> _Column:
    """One column, with the edge that enters at its top."""
    inside = pieces[start:end]
    into: dict[Edge, None] = dict.fromkeys(edge for edge in content.edges if edge.source < start <= edge.target < end)
    first = 1 if into else 0
    shift = first - start
    lines = [Link(0, shift + edge.target, 0, edge.input) for edge in into]
    lines += [
        Link(shift + edge.source, shift + edge.target, edge.output, edge.input)
        for edge in content.edges
        if start <= edge.source and edge.target < end
    ]
    bodies = [Node(0, 0, 0)] * first + [piece.node for piece in inside]
    where = lay_out(bodies, lines)
    leaving = next((edge for edge in content.edges if edge.source < end <= edge.target), None)
    last = first + (leaving.source - start if leaving and leaving.source >= start else end - start - 1)
    port = bodies[last].outputs[leaving.output] if leaving else 0.0
    moved = Layout(where.x[first:], where.top[first:], where.paths, where.width, where.height)
    return _Column(inside, list(content.children[start:end]), moved, where.x[0], where.x[last] + port)


def _column(column: _Column) -> list[Markup]:
    drawn = zip(column.pieces, column.where.x, column.where.top, strict=True)
    return [*map(path, column.where.paths), *(group([piece.markup], x, top) for piece, x, top in drawn)]


def _turn(end: Point, begin: Point, between: float) -> Markup:
    """The edge from the foot of a column to the head of the next."""
    above, below = TITLE + 2, end[1] + ROW_GAP
    return path([end, (end[0], below), (between, below), (between, above), (begin[0], above), begin], arrow=False)


# Figures


def _figure_widths(items: Sequence[Frame | Vertex]) -> list[float]:
    columns = zip(_FIGURES, *(_figure_texts(item) for item in items), strict=True)
    return [max(TextLine(text, small=True).width for text in texts) for texts in columns]


def _figure_texts(item: Frame | Vertex) -> tuple[str, str, str]:
    """Output, parameters and multiply-accumulates; empty where 0."""
    channels = item.channels if isinstance(item, Frame) else None
    return (
        output(item.shape, channels),
        format_count(item.params) if item.params else "",
        format_count(item.macs) if item.macs else "",
    )


def _figures(column: _Column, widths: Sequence[float], content: Frame) -> list[Markup]:
    """The figures of each row, with bars for its shares."""
    starts = [sum(widths[:number]) + COLUMN_GAP * number for number in range(len(widths))]

    def written(number: int, text: str, y: float, spare: float, name: str = "") -> Markup:
        x, anchor = (starts[number] + widths[number], "end") if number else (starts[number], "start")
        return draw_text(TextLine(text, small=True), x, y, anchor, widths[number] + spare, name)

    parts = [written(number, name, -10, 9, "quiet") for number, name in enumerate(_FIGURES)]
    most = [max(item.params for item in content.children), max(item.macs for item in content.children)]
    for item, piece, top in zip(column.items, column.pieces, column.where.top, strict=True):
        y = top + (14 if isinstance(item, Frame) else piece.node.height / 2 + 3.5)
        for number, text in enumerate(_figure_texts(item)):
            if not text:
                continue
            parts.append(written(number, text, y, 1))
            if number:
                share = (item.params, item.macs)[number - 1] / max(1, most[number - 1])
                long = max(0.8, min(BAR, widths[number]) * share)
                x, w = f"{starts[number] + widths[number] - long:.1f}", f"{long:.1f}"
                parts.append(tag("rect", class_="bar", x=x, y=f"{y + 3.5:.1f}", width=w, height=2))
    return parts


# Legend


def _kinds(content: Frame) -> list[str]:
    """The kinds of layers in the model, in the order of the legend."""
    found = {vertex.kind for vertex in content.vertices()}
    return [kind for kind in KINDS if kind in found and kind != "input"]


def _legend(kinds: Sequence[str], width: float) -> tuple[list[Markup], float, float]:
    """The legend, its width and its height."""
    parts: list[Markup] = []
    x, y, widest = 0.0, 0.0, 0.0
    for kind in kinds:
        word = TextLine(KINDS[kind], small=True)
        long = SWATCH + SWATCH_GAP + word.width
        if x and x + long > width:
            x, y = 0.0, y + LEADING + 5
        round_ = SWATCH / 2 if kind == "merge" else 2.5
        parts.append(
            tag("rect", class_=f"box {kind}", x=f"{x:.1f}", y=f"{y:.1f}", width=SWATCH, height=SWATCH, rx=round_)
        )
        parts.append(draw_text(word, x + SWATCH + SWATCH_GAP, y + SMALL, "start", word.width + 1))
        x += long + 20
        widest = max(widest, x - 20)
    return parts, max(widest, NARROWEST), y + SWATCH


def _in_words(content: Frame) -> str:
    """The drawing as text, for screen readers."""
    said = []
    for child in content.children:
        name = child.name if isinstance(child, Frame) else joined([child.what])
        times = f", {child.count} times" if isinstance(child, Frame) and child.count > 1 else ""
        said.append(f"{name}{times}: {output(child.shape)}")
    return "; ".join(said) + "."
