"""The reliability diagram: accuracy against confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.errors import UsageError
from zoo.reports.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches of the square and of the strip below it.
SIDE, STRIP = 3.6, 0.7
_LEFT, _RIGHT, _BELOW, _BETWEEN = 0.72, 0.3, 0.52, 0.34
#: Of the first series and of the second.
_COLOURS = (canvas.BLUE, canvas.VERMILLION)
#: By how much two series are shifted, so that the intervals of both are visible.
_ASIDE = 0.006


@dataclass(frozen=True, slots=True)
class Bin:
    """The images whose confidence is in ``(low, high]``.

    ``confidence`` and ``accuracy`` are their means, 0-1, ``None`` if there are none; ``interval`` is the 95 % interval
    of the accuracy.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None
    interval: tuple[float, float]

    @property
    def gap(self) -> float:
        """How far accuracy and confidence are apart, 0-1."""
        return abs((self.accuracy or 0.0) - (self.confidence or 0.0))


def reliability_image(series: Mapping[str, Sequence[Bin]], *, title: str | None = None) -> np.ndarray:
    """Draw accuracy against confidence, with 95 % intervals, and the number of images of each confidence.

    On the diagonal a model is calibrated; above it, it is underconfident, below it, overconfident.

    Args:
        series: the bins of the same images under one or two names, such as "as it is" and "temperature 1.4".
        title: above the diagram.

    Returns:
        uint8 RGB (height, width, 3).

    Raises:
        UsageError: there is no series, or more than two.
    """
    if not 1 <= len(series) <= len(_COLOURS):
        raise UsageError(f"Expected one or two series for a reliability diagram. Received: {len(series)}")
    if not any(entry.count for entry in next(iter(series.values()))):
        return canvas.note("No images." if title is None else f"{title}: no images")
    with canvas.style():
        return _draw(series, title)


def _draw(series: Mapping[str, Sequence[Bin]], title: str | None) -> np.ndarray:
    lines = [canvas.clean(f"{name}: {_describe(bins)}") for name, bins in series.items()]
    width = _LEFT + max(SIDE, *(canvas.text_width(line, 8) for line in lines)) + _RIGHT
    above = 0.52 + (0.26 if title else 0) + 0.18 * len(lines)
    height = above + SIDE + _BETWEEN + STRIP + _BELOW
    figure = canvas.new_figure(width, height)
    box = (_LEFT / width, (_BELOW + STRIP + _BETWEEN) / height, SIDE / width, SIDE / height)
    axes = figure.add_axes(box)
    strip = figure.add_axes((_LEFT / width, _BELOW / height, SIDE / width, STRIP / height), sharex=axes)
    ticks = np.linspace(0, 1, 6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.plot([0, 1], [0, 1], color=canvas.HAIRLINE, linewidth=1.0, zorder=1)
    axes.annotate("overconfident", (0.98, 0.06), ha="right", fontsize=8, color=canvas.QUIET)
    axes.annotate("underconfident", (0.02, 0.92), ha="left", fontsize=8, color=canvas.QUIET)
    for number, (bins, colour) in enumerate(zip(series.values(), _COLOURS, strict=False)):
        _points(axes, bins, colour, _ASIDE * (2 * number - 1) if len(series) > 1 else 0.0)
    axes.set_yticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    axes.set_title("accuracy", loc="left", fontsize=9, color=canvas.QUIET, pad=5)
    axes.grid(axis="both")
    axes.tick_params(labelbottom=False, bottom=False)
    axes.spines["left"].set_visible(False)
    _counts(strip, series)
    strip.set_xticks(ticks, [f"{100 * tick:.0f} %" for tick in ticks])
    strip.set_xlabel("confidence")

    canvas.write_heading(figure, _LEFT, title, dict(zip(lines, _COLOURS, strict=False)))
    return canvas.to_pixels(figure)


def _describe(bins: Sequence[Bin]) -> str:
    """Accuracy, mean confidence and calibration error in words."""
    n = sum(one.count for one in bins)
    accuracy = sum(one.count * (one.accuracy or 0.0) for one in bins) / n
    confidence = sum(one.count * (one.confidence or 0.0) for one in bins) / n
    error = sum(one.count * one.gap for one in bins) / n
    return (
        f"accuracy {100 * accuracy:.1f} %, confidence {100 * confidence:.1f} %, calibration error {100 * error:.1f} %"
    )


def _points(axes: Axes, bins: Sequence[Bin], colour: str, aside: float) -> None:
    """A dot for each bin with images, at their mean confidence, and its interval."""
    there = [entry for entry in bins if entry.count]
    x = np.array([entry.confidence for entry in there], float) + aside
    y = np.array([entry.accuracy for entry in there], float)
    low, high = np.array([entry.interval for entry in there]).T
    axes.vlines(x, low, high, color=colour, linewidth=1.0, alpha=0.45, zorder=3)
    axes.plot(x, y, color=colour, linewidth=1.3, marker="o", markersize=4, zorder=4)


def _counts(strip: Axes, series: Mapping[str, Sequence[Bin]]) -> None:
    """The number of images of each bin."""
    highest = max(entry.count for bins in series.values() for entry in bins)
    for number, (bins, colour) in enumerate(zip(series.values(), _COLOURS, strict=False)):
        edges = [bins[0].low, *(entry.high for entry in bins)]
        counts = [entry.count for entry in bins]
        if number == 0:
            strip.stairs(counts, edges, fill=True, color=canvas.FAINT)
        strip.stairs(counts, edges, color=colour, linewidth=1.1)
    strip.set_ylim(0, 1.1 * highest)
    strip.set_yticks([0, highest], ["0", f"{highest:,}"])
    strip.set_title("images", loc="left", fontsize=9, color=canvas.QUIET, pad=5)
    strip.spines["left"].set_visible(False)
