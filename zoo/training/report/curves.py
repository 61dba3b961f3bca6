"""Curves of a training: loss, accuracy and learning rate against epochs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.reports.html.contents import Phase, RunReport
from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.scales import Scale, ticks, value_scale
from zoo.reports.html.svg import WIDTH, box, chart, dot, line, text
from zoo.reports.html.words import is_number, number

#: Epochs that are drawn; of more, some are left out.
LIMIT = 600
#: Heights of what is between the axes.
PANEL, STRIP = 190, 70
#: Up to so many epochs each has a dot, and each says its numbers where the pointer rests.
_DOTS, _TIPS = 15, 150

_LEFT, _RIGHT, _BELOW = 46, 40, 36
#: The room above, without and with names of phases.
_ABOVE, _NAMED = 8, 22
#: A line of type, and a sign of it, on average.
_LINE, _SIGN = 14, 6.4

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Panel:
    """One quantity: its title, the columns of its lines, how its values are written, and whether it has names."""

    title: str
    columns: Mapping[str, str]
    written: Callable[[Any], str]
    height: int = PANEL


def _points(value: float) -> str:
    return f"{100 * value:.4g}\N{NO-BREAK SPACE}%"


_PANELS = (
    _Panel("Loss", {"train": "loss", "val": "val_loss"}, number),
    _Panel("Top-1 accuracy", {"train": "top1", "val": "val_top1"}, _points),
    _Panel("Learning rate", {"rate": "learning_rate"}, lambda value: f"{value:.3g}", STRIP),
)


@dataclass(frozen=True)
class _Axes:
    """Where epochs and values stand, and the edges of what is between the axes."""

    across: Scale
    up: Scale
    top: float
    floor: float


def curves(report: RunReport) -> list[Markup]:
    """Loss, accuracy and learning rate against epochs, as far as they were recorded; each one a ``figure``."""
    rows = thinned(report.history, report.best_epoch)
    return [
        _chart(rows, panel, report.best_epoch, report.phases if len(report.phases) > 1 else ())
        for panel in _PANELS
        if any(is_number(row.get(column)) for row in rows for column in panel.columns.values())
    ]


def thinned(rows: Sequence[Row], best: int | None = None) -> list[Row]:
    """The rows that are drawn, each with its ``epoch``: at most about :data:`LIMIT`, the last and the best included."""
    numbered = [{"epoch": index, **row} for index, row in enumerate(rows, start=1)]
    step = math.ceil(len(numbered) / LIMIT)
    last = len(numbered) - 1
    return [row for i, row in enumerate(numbered) if i % step == 0 or i == last or row["epoch"] == best]


def _chart(rows: Sequence[Row], panel: _Panel, best: int | None, phases: Sequence[Phase]) -> Markup:
    rate = "rate" in panel.columns
    axes = _axes(rows, panel, _NAMED if phases and not rate else _ABOVE)
    across, up = axes.across, axes.up
    heights = [0.0, up.high / 1.08] if rate else up.ticks(6)
    parts = [
        *_phases(phases, axes, named=not rate),
        *(line("grid", _LEFT, up(value), WIDTH - _RIGHT, up(value)) for value in heights),
        *(text(panel.written(value), _LEFT - 7, up(value) + 4, "end") for value in heights),
        *_epochs(axes),
    ]
    chosen = next((row for row in rows if row["epoch"] == best), None)
    if chosen is not None:
        parts.append(line("best", across(chosen["epoch"]), axes.top, across(chosen["epoch"]), axes.floor))
    ends = {}
    for name, column in panel.columns.items():
        points = [(across(row["epoch"]), up(row[column]) if is_number(row.get(column)) else None) for row in rows]
        drawn = [(x, y) for x, y in points if y is not None]
        if drawn:
            parts.append(tag("path", class_=f"line {name}", d=_path(points)))
            parts += [dot(f"dot {name}", x, y, 2.2) for x, y in drawn if len(rows) <= _DOTS]
            ends[name] = drawn[-1]
    validated = panel.columns.get("val", "")
    if chosen is not None and is_number(chosen.get(validated)):
        parts.append(dot("mark", across(chosen["epoch"]), up(chosen[validated]), 4.5))
    parts += [] if rate else _names(ends)
    parts += _tips(rows, panel, axes) if len(rows) <= _TIPS else []
    return chart(panel.title, *parts, height=int(axes.floor) + _BELOW, label=_described(rows, panel, best))


def _axes(rows: Sequence[Row], panel: _Panel, top: float) -> _Axes:
    first, last = rows[0]["epoch"], rows[-1]["epoch"]
    margin = 0.5 if first == last else 0.02 * (last - first)
    across = Scale(first - margin, last + margin, _LEFT, WIDTH - _RIGHT)
    floor = top + panel.height
    values = [row[column] for row in rows for column in panel.columns.values() if is_number(row.get(column))]
    if "rate" in panel.columns:
        return _Axes(across, Scale(0.0, 1.08 * (max(values) or 1.0), floor, top), top, floor)
    return _Axes(across, value_scale(values, floor, top, share="top1" in panel.columns.values()), top, floor)


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """A line through the points, broken where one is missing; a point alone becomes a dot by its round ends."""
    commands, pen = [], "M"
    for index, (x, y) in enumerate(points):
        if y is None:
            pen = "M"
            continue
        alone = pen == "M" and (index + 1 == len(points) or points[index + 1][1] is None)
        commands.append(f"{pen}{x:.1f} {y:.1f}" + ("h0" if alone else ""))
        pen = "L"
    return "".join(commands)


def _phases(phases: Sequence[Phase], axes: _Axes, *, named: bool) -> list[Markup]:
    """A line where a phase begins, every other phase on a faint ground, and its name above where it has room."""
    parts = []
    for index, phase in enumerate(phases):
        start = max(axes.across.start, axes.across(phase.first - 0.5))
        end = min(axes.across.end, axes.across(phase.last + 0.5))
        if end <= start:
            continue
        if index % 2:
            parts.append(box("phase", start, axes.top, end - start, axes.floor - axes.top))
        if index:
            parts.append(line("boundary", start, axes.top, start, axes.floor))
        room = int((end - start) / _SIGN)
        if named and room > 2:
            name = phase.name if len(phase.name) <= room else phase.name[: room - 1] + "…"
            parts.append(text(name, (start + end) / 2, axes.top - 8, "middle"))
    return parts


def _epochs(axes: _Axes) -> list[Markup]:
    """The axis of the epochs."""
    places = ticks(math.ceil(axes.across.low), math.floor(axes.across.high), 8, whole=True)
    return [
        line("axis", _LEFT, axes.floor, WIDTH - _RIGHT, axes.floor),
        *(text(f"{place:g}", axes.across(place), axes.floor + 16, "middle") for place in places),
        text("epoch", (axes.across.start + axes.across.end) / 2, axes.floor + 31, "middle"),
    ]


def _names(ends: Mapping[str, tuple[float, float]]) -> list[Markup]:
    """The name of each line beside its end, and apart from one another."""
    shifts = dict.fromkeys(ends, 0.0)
    if len(ends) == 2:
        upper, lower = sorted(ends, key=lambda name: ends[name][1])
        missing = max(0.0, _LINE - (ends[lower][1] - ends[upper][1])) / 2
        shifts = {upper: -missing, lower: missing}
    return [text(name, x + 7, y + shifts[name] + 4, "start", f"name {name}") for name, (x, y) in ends.items()]


def _tips(rows: Sequence[Row], panel: _Panel, axes: _Axes) -> list[Markup]:
    """The numbers of an epoch, where the pointer rests on it."""
    width = (axes.across.end - axes.across.start) / len(rows)
    tips = []
    for row in rows:
        known = {name: row[column] for name, column in panel.columns.items() if is_number(row.get(column))}
        said = ", ".join(f"{name} {panel.written(value)}" for name, value in known.items())
        tip = tag("title", f"epoch {row['epoch']}: {said or 'no number'}")
        tips.append(box("tip", axes.across(row["epoch"]) - width / 2, axes.top, width, axes.floor - axes.top, tip))
    return tips


def _described(rows: Sequence[Row], panel: _Panel, best: int | None) -> str:
    """The chart for those who do not see it."""
    said = []
    for name, column in panel.columns.items():
        known = [row[column] for row in rows if is_number(row.get(column))]
        if known:
            said.append(f"{name} from {panel.written(known[0])} to {panel.written(known[-1])}")
    span = f"epochs {rows[0]['epoch']} to {rows[-1]['epoch']}"
    return f"{panel.title} over {span}: {'; '.join(said)}" + ("" if best is None else f"; best epoch {best}")
