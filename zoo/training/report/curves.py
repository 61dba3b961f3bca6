"""Charts of loss, accuracy and learning rate against epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.svg import WIDTH, box, chart, dot, line, text
from zoo.reports.numbers import is_number
from zoo.reports.scales import Scale, ticks
from zoo.reports.training_series import Quantity, TrainingSeries, spread, training_series
from zoo.training.report.contents import PhaseEpochs, RunReport

#: The maximum of epochs that are drawn; of more, some are left out.
LIMIT = 600
#: Heights between the axes, of a quantity and of the learning rate.
PANEL, STRIP = 190, 70
#: Up to this many epochs have a dot each, and a tooltip each.
_DOTS, _TIPS = 15, 150

_LEFT, _RIGHT, _BELOW = 46, 40, 36
#: The space above, without and with names of phases.
_ABOVE, _NAMED = 8, 22
#: The height of a line of text, and the mean width of a letter.
_LINE, _LETTER = 14, 6.4


@dataclass(frozen=True)
class _Axes:
    """The scales of epochs and values, and the upper and lower edge."""

    across: Scale
    up: Scale
    top: float
    floor: float


def curves(report: RunReport) -> list[Markup]:
    """A ``figure`` for each quantity that was recorded."""
    series = training_series(thinned(report.history, report.best_epoch), report.best_epoch)
    phases = report.phases if len(report.phases) > 1 else ()
    return [_chart(series, quantity, phases) for quantity in series.quantities]


def thinned(rows: Sequence[Mapping[str, Any]], best: int | None = None) -> list[Mapping[str, Any]]:
    """The rows that are shown, each with its ``epoch``: about :data:`LIMIT` at most, the last and the best included."""
    numbered = [{"epoch": index, **row} for index, row in enumerate(rows, start=1)]
    step = math.ceil(len(numbered) / LIMIT)
    last = len(numbered) - 1
    return [row for i, row in enumerate(numbered) if i % step == 0 or i == last or row["epoch"] == best]


def _chart(series: TrainingSeries, quantity: Quantity, phases: Sequence[PhaseEpochs]) -> Markup:
    epochs, best = series.epochs.tolist(), series.best
    axes = _axes(epochs, quantity, _NAMED if phases and not quantity.is_rate else _ABOVE)
    across, up = axes.across, axes.up
    places = [0.0, up.high / 1.08] if quantity.is_rate else up.ticks(6)
    parts = [
        *_phases(phases, axes, named=not quantity.is_rate),
        *(line("grid", _LEFT, up(value), WIDTH - _RIGHT, up(value)) for value in places),
        *(text(quantity.written(value), _LEFT - 7, up(value) + 4, "end") for value in places),
        *_epoch_axis(axes),
    ]
    if best is not None:
        parts.append(line("best", across(epochs[best]), axes.top, across(epochs[best]), axes.floor))
    for name, values in quantity.lines.items():
        points = [
            (across(epoch), up(value) if is_number(value) else None)
            for epoch, value in zip(epochs, values, strict=True)
        ]
        parts.append(tag("path", class_=f"line {name}", d=_path(points)))
        if len(epochs) <= _DOTS:
            parts += [dot(f"dot {name}", x, y, 2.2) for x, y in points if y is not None]
    validated = quantity.lines.get("val")
    if best is not None and validated is not None and is_number(validated[best]):
        parts.append(dot("mark", across(epochs[best]), up(validated[best]), 4.5))
    parts += [] if quantity.is_rate else _names(epochs, quantity, axes)
    parts += _tips(epochs, quantity, axes) if len(epochs) <= _TIPS else []
    title = quantity.title[0].upper() + quantity.title[1:]
    label = _described(title, series, quantity)
    return chart(title, *parts, height=int(axes.floor) + _BELOW, label=label)


def _axes(epochs: Sequence[int], quantity: Quantity, top: float) -> _Axes:
    first, last = epochs[0], epochs[-1]
    margin = 0.5 if first == last else 0.02 * (last - first)
    floor = top + (STRIP if quantity.is_rate else PANEL)
    return _Axes(Scale(first - margin, last + margin, _LEFT, WIDTH - _RIGHT), quantity.scale(floor, top), top, floor)


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """A line through the points, broken where one is missing; a single point becomes a dot by its round ends."""
    commands, pen = [], "M"
    for index, (x, y) in enumerate(points):
        if y is None:
            pen = "M"
            continue
        alone = pen == "M" and (index + 1 == len(points) or points[index + 1][1] is None)
        commands.append(f"{pen}{x:.1f} {y:.1f}" + ("h0" if alone else ""))
        pen = "L"
    return "".join(commands)


def _phases(phases: Sequence[PhaseEpochs], axes: _Axes, *, named: bool) -> list[Markup]:
    """A line where a phase begins, a background for every other one, and names where they fit."""
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
        room = int((end - start) / _LETTER)
        if named and room > 2:
            name = phase.name if len(phase.name) <= room else phase.name[: room - 1] + "…"
            parts.append(text(name, (start + end) / 2, axes.top - 8, "middle"))
    return parts


def _epoch_axis(axes: _Axes) -> list[Markup]:
    places = ticks(math.ceil(axes.across.low), math.floor(axes.across.high), 8, whole=True)
    return [
        line("axis", _LEFT, axes.floor, WIDTH - _RIGHT, axes.floor),
        *(text(f"{place:g}", axes.across(place), axes.floor + 16, "middle") for place in places),
        text("epoch", (axes.across.start + axes.across.end) / 2, axes.floor + 31, "middle"),
    ]


def _names(epochs: Sequence[int], quantity: Quantity, axes: _Axes) -> list[Markup]:
    """The name of each line beside its end."""
    ends = {name: (axes.across(epochs[at]), axes.up(quantity.lines[name][at])) for name, at in quantity.ends().items()}
    shifts = spread({name: y for name, (_, y) in ends.items()}, _LINE)
    return [text(name, x + 7, y + shifts[name] + 4, "start", f"name {name}") for name, (x, y) in ends.items()]


def _tips(epochs: Sequence[int], quantity: Quantity, axes: _Axes) -> list[Markup]:
    """A tooltip with the values of each epoch."""
    width = (axes.across.end - axes.across.start) / len(epochs)
    tips = []
    for index, epoch in enumerate(epochs):
        known = {name: values[index] for name, values in quantity.lines.items() if is_number(values[index])}
        said = ", ".join(f"{name} {quantity.written(value)}" for name, value in known.items())
        tip = tag("title", f"epoch {epoch}: {said or 'no number'}")
        tips.append(box("tip", axes.across(epoch) - width / 2, axes.top, width, axes.floor - axes.top, tip))
    return tips


def _described(title: str, series: TrainingSeries, quantity: Quantity) -> str:
    """The chart for those who cannot see it."""
    said = []
    for name, values in quantity.lines.items():
        known = [value for value in values if is_number(value)]
        said.append(f"{name} from {quantity.written(known[0])} to {quantity.written(known[-1])}")
    epochs, best = series.epochs, series.best
    span = f"epochs {epochs[0]} to {epochs[-1]}"
    return f"{title} over {span}: {'; '.join(said)}" + ("" if best is None else f"; best epoch {epochs[best]}")
