"""Loss, accuracy and learning rate against epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.plots import canvas
from zoo.reports.scales import ticks
from zoo.reports.training_series import Quantity, TrainingSeries, spread, training_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Sizes in inches.
WIDTH, PANEL, STRIP = 7.2, 2.1, 0.42
_LEFT, _RIGHT, _BELOW, _BETWEEN = 0.68, 0.5, 0.52, 0.34
#: Up to this many epochs have a dot each.
_DOTS = 15
#: The minimum distance of two lines' names, in points.
_APART = 11.0
_COLOURS = {"train": canvas.BLUE, "val": canvas.VERMILLION}


def curves_image(rows: Sequence[Mapping[str, Any]], *, title: str | None = None, best: int | None = None) -> np.ndarray:
    """Draw loss and accuracy of the training and the validation set against epochs, and the learning rate below.

    Args:
        rows: see :func:`zoo.reports.training_series.training_series`. What is not finite leaves a gap.
        title: above the curves.
        best: the epoch that is marked.

    Returns:
        uint8 RGB (height, width, 3).
    """
    series = training_series(rows, best)
    if all(quantity.is_rate for quantity in series.quantities):
        return canvas.note("No epoch has been finished." if title is None else f"{title}: no epoch has been finished")
    with canvas.style():
        return _draw(series, title)


def _draw(series: TrainingSeries, title: str | None) -> np.ndarray:
    epochs = series.epochs
    heading = _heading(series)
    above = 0.42 + (0.24 if title else 0) + (0.2 if heading else 0)
    heights = [STRIP if quantity.is_rate else PANEL for quantity in series.quantities]
    height = above + sum(heights) + _BETWEEN * (len(heights) - 1) + _BELOW
    figure = canvas.new_figure(WIDTH, height)
    top = height - above
    # Half an epoch at the sides of a single one.
    margin = 0.5 if len(epochs) == 1 else 0.02 * (epochs.max() - epochs.min())
    for quantity, size in zip(series.quantities, heights, strict=True):
        axes = figure.add_axes((_LEFT / WIDTH, (top - size) / height, (WIDTH - _LEFT - _RIGHT) / WIDTH, size / height))
        axes.set_xlim(epochs.min() - margin, epochs.max() + margin)
        axes.set_xticks(ticks(int(epochs.min()), int(epochs.max()), 12, whole=True))
        axes.tick_params(labelbottom=False, bottom=False)
        _quantity(axes, quantity, series)
        top -= size + _BETWEEN
    axes.tick_params(labelbottom=True, bottom=True)
    axes.set_xlabel("epoch")

    canvas.write_heading(figure, _LEFT, title, {heading: canvas.QUIET})
    return canvas.to_pixels(figure)


def _heading(series: TrainingSeries) -> str:
    """The best epoch in words."""
    best = series.best
    if best is None:
        return ""
    values = [
        f"val {quantity.title.removeprefix('top-1 ')} {quantity.written(quantity.lines['val'][best])}"
        for quantity in series.quantities
        if "val" in quantity.lines
    ]
    return "  ·  ".join([f"best: epoch {series.epochs[best]} of {series.epochs.max()}", *values])


def _quantity(axes: Axes, quantity: Quantity, series: TrainingSeries) -> None:
    """One quantity, of both sets."""
    epochs, best = series.epochs, series.best
    scale = quantity.scale(0, PANEL * canvas.POINTS)
    if scale.log:
        axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.high)
    places = [0.0, scale.high / 1.08] if quantity.is_rate else scale.ticks(7)
    axes.set_yticks(places, [quantity.written(place) for place in places])
    axes.minorticks_off()
    axes.set_title(quantity.title, loc="left", fontsize=9, color=canvas.QUIET, pad=5)
    axes.spines["left"].set_visible(False)
    if best is not None:
        axes.axvline(epochs[best], color=canvas.HAIRLINE, linewidth=0.8, zorder=1)
    if quantity.is_rate:
        (rates,) = quantity.lines.values()
        axes.fill_between(epochs, rates, color=canvas.FAINT, linewidth=0)
        dots = "o" if len(epochs) == 1 else None
        axes.plot(epochs, rates, color=canvas.HAIRLINE, linewidth=1, marker=dots, markersize=3)
        return
    axes.grid(axis="y")
    for name, values in quantity.lines.items():
        axes.plot(
            epochs,
            values,
            color=_COLOURS[name],
            linewidth=1.3 if len(epochs) < 100 else 1.0,
            marker="o" if len(epochs) <= _DOTS else None,
            markersize=3,
        )
    if best is not None and "val" in quantity.lines:
        mark: dict[str, Any] = {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 1.2, "zorder": 5}
        axes.plot(epochs[best], quantity.lines["val"][best], "o", color=canvas.VERMILLION, **mark)
    ends = {name: (epochs[last], quantity.lines[name][last]) for name, last in quantity.ends().items()}
    shifts = spread({name: scale(value) for name, (_, value) in ends.items()}, _APART)
    for name, end in ends.items():
        offset: dict[str, Any] = {"xytext": (8, shifts[name]), "textcoords": "offset points"}
        axes.annotate(name, end, va="center", fontsize=8.5, color=_COLOURS[name], **offset)
