"""Boxes and frames as SVG, each relative to its own axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.plots.canvas import POINTS, shortened, text_width
from zoo.visualize.architecture.graph import Shape, Vertex, format_count, format_shape
from zoo.visualize.architecture.hierarchy import Frame
from zoo.visualize.architecture.layout import Link, Node, Point, lay_out

#: Font sizes in pixels.
TEXT, SMALL = 11.0, 9.5
#: Line height, and margin of the text in a box.
LEADING, INSET = 13.0, 7.0
#: Maximum width of text, and minimum width of a box.
WIDEST, NARROWEST = 250.0, 64.0
#: Padding of a frame, and height of its title.
PADDING, STRIP = 12.0, 20.0
#: Of the sign of a sum.
RADIUS = 9.0


@dataclass(frozen=True)
class DrawnNode:
    """``markup`` with its axis at x = 0 and its top at y = 0, and its extent."""

    node: Node
    markup: Markup


@dataclass(frozen=True)
class TextLine:
    """A line of text."""

    text: str
    small: bool = False
    strong: bool = False

    @property
    def width(self) -> float:
        """In pixels; within :func:`zoo.reports.plots.canvas.style`."""
        return text_width(self.text, SMALL if self.small else TEXT, "bold" if self.strong else "normal") * POINTS


def box_text(vertex: Vertex, *, named: bool, figures: bool) -> list[TextLine]:
    """The text of a box, with the layer's name if ``named``, and output and costs if ``figures``."""
    before, after = " · ".join(vertex.before), " · ".join(vertex.after)
    notes = ", ".join([f"{before} before", *([f"{after} after"] if after else [])]) if before else after
    if named:
        name = vertex.what if vertex.kind == "input" or not vertex.parts else vertex.name.rpartition("/")[2]
        about = " · ".join(part for part in (vertex.what, notes) if part not in ("", name))
        lines = [TextLine(name, strong=True), *([TextLine(about, small=True)] if about else [])]
    else:
        lines = [TextLine(vertex.what), *([TextLine(notes, small=True)] if notes else [])]
    if figures:
        lines.append(TextLine(in_short(vertex.shape, vertex.params, vertex.macs), small=True))
    return lines


def in_short(shape: Shape, params: int, macs: int, channels: tuple[int, int] | None = None) -> str:
    """Output, parameters and multiply-accumulates on one line."""
    parts = [output(shape, channels)]
    parts += [f"{format_count(params)} par."] if params else []
    parts += [f"{format_count(macs)} MAC"] if macs else []
    return " · ".join(parts)


def output(shape: Shape, channels: tuple[int, int] | None = None) -> str:
    """``56 × 56 × 96–256``."""
    text = format_shape(shape)
    if channels is None:
        return text
    return f"{text.rpartition(' ')[0]} {channels[0]}–{channels[1]}"


def box(vertex: Vertex, lines: Sequence[TextLine], width: float) -> DrawnNode:
    """The box of a layer."""
    if vertex.kind == "merge":
        return _sign(vertex)
    height = LEADING * len(lines) + 2 * INSET - 3
    parts = [
        tag("title", "\n".join(_about(vertex))),
        tag("rect", class_=f"box {vertex.kind}", x=_n(-width / 2), y=0, width=_n(width), height=_n(height), rx=4),
    ]
    for number, line in enumerate(lines):
        y = INSET + LEADING * number + 9.5
        parts.append(draw_text(line, 0, y, "middle", width - 2 * INSET))
    return DrawnNode(Node(width / 2, width / 2, height), tag("g", *parts))


def box_width(lines: Sequence[TextLine]) -> float:
    """The width of a box with these lines."""
    return max(NARROWEST, min(WIDEST, max(line.width for line in lines)) + 2 * INSET)


def _sign(vertex: Vertex) -> DrawnNode:
    """A merge: a circle with a sign or a pill with a word, and fused operations beside it."""
    word = TextLine(vertex.what, small=len(vertex.what) > 1)
    half = RADIUS if len(vertex.what) == 1 else word.width / 2 + 7
    notes = TextLine(" · ".join(vertex.after), small=True)
    parts = [
        tag("title", "\n".join(_about(vertex))),
        tag("rect", class_="box merge", x=_n(-half), y=0, width=_n(2 * half), height=2 * RADIUS, rx=RADIUS),
        draw_text(word, 0, RADIUS + (4 if len(vertex.what) == 1 else 3.3), "middle", 2 * half),
    ]
    right = half
    if notes.text:
        parts.append(draw_text(notes, half - 1, 2 * RADIUS + 4, "start", WIDEST, "quiet"))
        right = half + notes.width
    return DrawnNode(Node(half, right, 2 * RADIUS, side=half), tag("g", *parts))


def _about(vertex: Vertex) -> list[str]:
    """The tooltip of a box."""
    costs = f"{format_shape(vertex.shape)}, {vertex.params:,} parameters, {vertex.macs:,} multiply-accumulates"
    return [*(vertex.parts or (vertex.name,)), costs]


def frame(content: Frame, *, inline: bool, named: bool) -> DrawnNode:
    """A block and its contents, with figures in its title if ``inline``, and named boxes with figures if ``named``."""
    pieces = children(content.children, inline=named, named=named)
    count = len(pieces)
    first = len(content.entries)
    # Inputs are nodes above the children, outputs below.
    lines = [
        Link(number, first + child, 0, port) for number, entry in enumerate(content.entries) for child, port in entry
    ]
    lines += [Link(first + edge.source, first + edge.target, edge.output, edge.input) for edge in content.edges]
    lines += [Link(first + child, first + count + number, port) for number, (child, port) in enumerate(content.exits)]
    point = Node(0, 0, 0)
    bodies = [point] * first + [piece.node for piece in pieces] + [point] * len(content.exits)
    where = lay_out(bodies, lines, last=range(first + count, len(bodies)), in_line=first == len(content.exits) == 1)
    title = TextLine(content.name, strong=True)
    times = TextLine(f"×{content.count}", strong=True) if content.count > 1 else None
    figures = TextLine(in_short(content.shape, content.params, content.macs, content.channels), small=True)
    strip = STRIP + (LEADING if inline else 0)
    needed = (
        max(min(title.width, WIDEST) + (times.width + 12 if times else 0), figures.width if inline else 0) + 2 * INSET
    )
    width = max(where.width + 2 * PADDING, needed)
    shift = (width - where.width) / 2
    axis = shift + (where.x[-1] if len(content.exits) == 1 else where.width / 2)
    height = strip + where.height
    ins = tuple(shift + where.x[number] - axis for number in range(first)) or (0.0,)
    outs = tuple(shift + where.x[first + count + number] - axis for number in range(len(content.exits)))
    parts = []
    if content.count > 1:
        # Edges of a stack.
        parts += [_rectangle("behind", 6 - axis, 6, width, height), _rectangle("behind", 3 - axis, 3, width, height)]
    parts += [
        _rectangle("frame", -axis, 0, width, height),
        tag("path", class_="strip", d=_strip(-axis, width, strip)),
        draw_text(title, INSET - axis, 14, "start", width - 2 * INSET - (times.width + 10 if times else 0)),
    ]
    if times:
        parts.append(draw_text(times, width - axis - INSET, 14, "end", width))
    if inline:
        parts.append(draw_text(figures, INSET - axis, 14 + LEADING, "start", width - 2 * INSET, "quiet"))
    inside = [path(points, arrow=line.target < first + count) for points, line in zip(where.paths, lines, strict=True)]
    inside += [
        tag("g", piece.markup, transform=f"translate({_n(where.x[first + number])} {_n(where.top[first + number])})")
        for number, piece in enumerate(pieces)
    ]
    parts.append(tag("g", *inside, transform=f"translate({_n(shift - axis)} {_n(strip)})"))
    more = 6 if content.count > 1 else 0
    return DrawnNode(Node(axis, width - axis + more, height + more, ins, outs), tag("g", *parts))


def children(found: Sequence[Frame | Vertex], *, inline: bool, named: bool) -> list[DrawnNode]:
    """Boxes of one width, and frames."""
    said = [box_text(child, named=named, figures=inline) if isinstance(child, Vertex) else [] for child in found]
    width = max((box_width(lines) for lines in said if lines), default=NARROWEST)
    return [
        box(child, lines, width) if isinstance(child, Vertex) else frame(child, inline=inline, named=named)
        for child, lines in zip(found, said, strict=True)
    ]


def path(points: Sequence[Point], *, arrow: bool = True) -> Markup:
    """An edge with rounded corners."""
    corners = [points[0]]
    for point in points[1:]:
        if abs(point[0] - corners[-1][0]) > 0.05 or abs(point[1] - corners[-1][1]) > 0.05:
            corners.append(point)
    text = f"M{_n(corners[0][0])} {_n(corners[0][1])}"
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        into, out = _towards(here, before), _towards(here, after)
        text += f"L{_n(into[0])} {_n(into[1])}Q{_n(here[0])} {_n(here[1])} {_n(out[0])} {_n(out[1])}"
    if len(corners) > 1:
        text += f"L{_n(corners[-1][0])} {_n(corners[-1][1])}"
    return tag("path", class_="line to" if arrow else "line", d=text)


def _towards(here: Point, there: Point) -> Point:
    """A point near the first, on the way to the second."""
    length = abs(there[0] - here[0]) + abs(there[1] - here[1])
    part = min(5.0, length / 2) / (length or 1)
    return here[0] + (there[0] - here[0]) * part, here[1] + (there[1] - here[1]) * part


def draw_text(line: TextLine, x: float, y: float, anchor: str, width: float, name: str = "") -> Markup:
    """A line of text, shortened to ``width``."""
    size_, weight = (SMALL if line.small else TEXT), "bold" if line.strong else "normal"
    text = shortened(line.text, size_, (width + 0.5) / POINTS, weight)
    kind = " ".join(part for part in ("small" if line.small else "", "strong" if line.strong else "", name) if part)
    return tag("text", text, x=_n(x), y=_n(y), text_anchor=None if anchor == "start" else anchor, class_=kind or None)


def _rectangle(name: str, x: float, y: float, width: float, height: float) -> Markup:
    return tag("rect", class_=name, x=_n(x), y=_n(y), width=_n(width), height=_n(height), rx=6)


def _strip(x: float, width: float, height: float) -> str:
    return f"M{_n(x)} {_n(height)}v{_n(6 - height)}q0 -6 6 -6h{_n(width - 12)}q6 0 6 6v{_n(height - 6)}z"


def group(parts: Sequence[Markup], x: float, y: float) -> Markup:
    """Parts translated to a point."""
    return tag("g", joined(parts), transform=f"translate({_n(x)} {_n(y)})")


def _n(value: float) -> str:
    """A number to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
