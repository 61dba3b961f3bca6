"""Stages as boxes that list their blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from zoo.reports.html.markup import tag
from zoo.visualize.architecture.boxes import LEADING, NARROWEST, DrawnNode, TextLine, draw_text, in_short
from zoo.visualize.architecture.graph import Vertex
from zoo.visualize.architecture.hierarchy import Frame
from zoo.visualize.architecture.layout import Node

#: Maximum width of a box, and maximum lines.
_WIDEST, _LINES = 520.0, 7
_INSET = 10.0
#: The square before a line, in the colour of its main kind of layer.
_SQUARE, _INDENT = 6.0, 11.0
#: Layers of a block that are listed; of more, kinds are counted.
_LISTED = 6

#: A kind of layer, or none, and a line of text.
_Row = tuple[str | None, TextLine]


def stage_boxes(items: Sequence[Frame | Vertex], *, inline: bool) -> list[DrawnNode]:
    """Stages, and what is outside of stages, in boxes of one width; with figures in them if ``inline``."""
    rows = [_rows(item, inline) for item in items]
    widest = max(words.width + (_INDENT if kind else 0) for lines in rows for kind, words in lines)
    width = max(NARROWEST, min(_WIDEST, widest + 2 * _INSET))
    return [_box(item, lines, width) for item, lines in zip(items, rows, strict=True)]


def _box(item: Frame | Vertex, rows: Sequence[_Row], width: float) -> DrawnNode:
    height = LEADING * len(rows) + 11
    left = _INSET - width / 2
    kind_ = "frame" if isinstance(item, Frame) else f"box {item.kind}"
    parts = [
        tag("title", "\n".join(_about(item))),
        tag("rect", class_=kind_, x=f"{-width / 2:.1f}", y=0, width=f"{width:.1f}", height=height, rx=6),
    ]
    for number, (kind, words) in enumerate(rows):
        y = 14.5 + LEADING * number
        if kind:
            square = {"width": _SQUARE, "height": _SQUARE, "rx": 1.5}
            parts.append(tag("rect", class_=f"box {kind}", x=f"{left:.1f}", y=y - _SQUARE - 0.5, **square))
        indent = _INDENT if kind else 0
        parts.append(draw_text(words, left + indent, y, "start", width - 2 * _INSET - indent))
    return DrawnNode(Node(width / 2, width / 2, height), tag("g", *parts))


def _rows(item: Frame | Vertex, inline: bool) -> list[_Row]:
    if isinstance(item, Vertex):
        found: list[_Row] = [(None, TextLine(" · ".join((item.what, *item.after)), strong=True))]
    else:
        found = [(None, TextLine(item.name, strong=True))]
        inside: list[_Row] = [(_kind(child), TextLine(_line(child), small=True)) for child in item.children]
        if len(inside) > _LINES:
            inside[_LINES - 1 :] = [(None, TextLine(f"and {len(inside) - _LINES + 1} more", small=True))]
        found += inside
    if inline:
        found.append((None, TextLine(in_short(item.shape, item.params, item.macs), small=True)))
    return found


def _kind(child: Frame | Vertex) -> str:
    """The kind with the most multiply-accumulates."""
    work: Counter[str] = Counter()
    for layer in [child] if isinstance(child, Vertex) else _layers(child):
        work[layer.kind] += layer.macs
    return work.most_common(1)[0][0] if work else "light"


def _line(child: Frame | Vertex) -> str:
    """A block and its layers, or a layer."""
    if isinstance(child, Vertex):
        return " · ".join((*child.before, child.what, *child.after))
    times = f" ×{child.count}" if child.count > 1 else ""
    return f"{child.name}{times}:  {_made_of(child)}"


def _made_of(block: Frame) -> str:
    layers = _layers(block)
    if len(layers) <= _LISTED:
        return " · ".join(layer.what for layer in layers)
    kinds = Counter(layer.what.partition(",")[0] for layer in layers)
    return " · ".join(f"{count} {what}" if count > 1 else what for what, count in kinds.items())


def _layers(block: Frame) -> list[Vertex]:
    """The layers of a block, in order, without minor ones."""
    return [layer for layer in block.vertices() if layer.kind != "light"]


def _about(item: Frame | Vertex) -> list[str]:
    """The tooltip: all layers of a stage."""
    if isinstance(item, Vertex):
        return list(item.parts or (item.name,))
    return [item.name, *(_line(child) for child in item.children)]
