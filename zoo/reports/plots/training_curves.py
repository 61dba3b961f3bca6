"""Loss and accuracy against epochs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.plots.canvas import (
    BLUE,
    DPI,
    FAINT,
    HAIRLINE,
    POINTS,
    QUIET,
    VERMILLION,
    clean,
    new_figure,
    note,
    shortened,
    style,
    to_pixels,
    write_png,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Sizes in inches.
WIDTH, PANEL, STRIP = 7.2, 2.1, 0.42
_LEFT, _RIGHT, _BELOW, _BETWEEN = 0.68, 0.5, 0.52, 0.34

#: Losses that span more than this have a logarithmic axis.
_SPAN = 12.0
#: Up to so many epochs each has a dot.
_DOTS = 15


def curves(
    history_rows: Sequence[Mapping[str, Any]],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    best: int | None = None,
) -> None:
    """Write what :func:`curves_image` draws as a PNG file.

    Raises:
        UnavailableError: the file cannot be written.
    """
    write_png(curves_image(history_rows, title=title, best=best), path)


def curves_image(
    history_rows: Sequence[Mapping[str, Any]], *, title: str | None = None, best: int | None = None
) -> np.ndarray:
    """Draw loss and accuracy of the training and the validation set against epochs, and the learning rate below.

    Args:
        history_rows: the rows of a :class:`~zoo.training.history.History`: ``epoch``, ``loss``, ``val_loss``, ``top1``,
            ``val_top1`` (from 0 to 1) and ``learning_rate``, as far as they exist. What is not finite leaves a gap.
        title: stands above.
        best: the epoch that is marked; without, the one with the highest ``val_top1``, else the lowest ``val_loss``.

    Returns:
        uint8 RGB (height, width, 3).
    """
    epochs = np.array([row.get("epoch", index) for index, row in enumerate(history_rows, start=1)], float)
    panels = [
        (label, series)
        for label, key in (("loss", "loss"), ("top-1 accuracy", "top1"))
        if (series := _series(history_rows, key))
    ]
    if not panels:
        return note("No epoch has been finished." if title is None else f"{title}: no epoch has been finished")
    rates = _column(history_rows, "learning_rate")
    row = _best(history_rows, best)
    with style():
        return _draw(epochs, panels, rates, row, title)


def _column(rows: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """The finite numbers under a key, float (n,), with NaN where there is none."""
    values = np.array([row.get(key, np.nan) for row in rows], float)
    return np.where(np.isfinite(values), values, np.nan)


def _series(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, np.ndarray]:
    """Of the training and the validation set what there is."""
    both = {"train": _column(rows, key), "val": _column(rows, f"val_{key}")}
    return {name: values for name, values in both.items() if not np.isnan(values).all()}


def _best(rows: Sequence[Mapping[str, Any]], epoch: int | None) -> int | None:
    """The index of the best row, ``None`` where nothing was validated."""
    if epoch is not None:
        return next((index for index, row in enumerate(rows) if row.get("epoch", index + 1) == epoch), None)
    for key, sign in (("val_top1", 1), ("val_loss", -1)):
        values = _column(rows, key)
        if not np.isnan(values).all():
            return int(np.nanargmax(sign * values))
    return None


def _draw(
    epochs: np.ndarray,
    panels: list[tuple[str, dict[str, np.ndarray]]],
    rates: np.ndarray,
    best: int | None,
    title: str | None,
) -> np.ndarray:
    has_rates = not np.isnan(rates).all()
    heading = _heading(epochs, panels, best)
    above = 0.42 + (0.24 if title else 0) + (0.2 if heading else 0)
    heights = [PANEL] * len(panels) + ([STRIP] if has_rates else [])
    height = above + sum(heights) + _BETWEEN * (len(heights) - 1) + _BELOW
    figure = new_figure(WIDTH, height)
    top = height - above
    all_axes: list[Axes] = []
    for size in heights:
        box = (_LEFT / WIDTH, (top - size) / height, (WIDTH - _LEFT - _RIGHT) / WIDTH, size / height)
        all_axes.append(figure.add_axes(box, sharex=all_axes[0] if all_axes else None))
        top -= size + _BETWEEN
    # Half an epoch on either side where there are few, which else would stand on the edges.
    margin = 0.5 if len(epochs) == 1 else 0.02 * (epochs.max() - epochs.min())
    all_axes[0].set_xlim(epochs.min() - margin, epochs.max() + margin)

    for axes, (label, series) in zip(all_axes, panels, strict=False):
        _panel(axes, label, epochs, series, best)
    if has_rates:
        _strip(all_axes[-1], epochs, rates, best)
    for axes in all_axes[:-1]:
        axes.tick_params(labelbottom=False, bottom=False)
    _epoch_axis(all_axes[-1])

    line = height - 0.2
    if title:
        line -= 0.14
        text = shortened(clean(title), 11, WIDTH - _LEFT - 0.2, "bold")
        figure.text(_LEFT / WIDTH, line / height, text, fontsize=11, weight="bold")
        line -= 0.06
    if heading:
        figure.text(_LEFT / WIDTH, (line - 0.14) / height, heading, fontsize=8, color=QUIET)
    return to_pixels(figure)


def _heading(epochs: np.ndarray, panels: list[tuple[str, dict[str, np.ndarray]]], best: int | None) -> str:
    """The best epoch in words."""
    if best is None:
        return ""
    values = {label: series["val"][best] for label, series in panels if "val" in series}
    parts = [f"best: epoch {epochs[best]:g} of {epochs.max():g}"]
    if "top-1 accuracy" in values:
        parts.append(f"val accuracy {100 * values['top-1 accuracy']:.2f} %")
    if "loss" in values:
        parts.append(f"val loss {values['loss']:.4g}")
    return "  ·  ".join(parts)


def _panel(axes: Axes, label: str, epochs: np.ndarray, series: dict[str, np.ndarray], best: int | None) -> None:
    """One quantity, of both sets."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    every = np.concatenate(list(series.values()))
    low, high = np.nanmin(every), np.nanmax(every)
    axes.margins(y=0.06)
    if label == "loss" and low > 0 and high / low > _SPAN:
        axes.set_yscale("log")
        wide = high / low > 300
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
        if label != "loss":
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))
    axes.set_title(label, loc="left", fontsize=9, color=QUIET, pad=5)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    if best is not None:
        axes.axvline(epochs[best], color=HAIRLINE, linewidth=0.8, zorder=1)
    colours = {"train": BLUE, "val": VERMILLION}
    for name, values in series.items():
        dots = "o" if len(epochs) <= _DOTS else None
        axes.plot(
            epochs,
            values,
            color=colours[name],
            linewidth=1.3 if len(epochs) < 100 else 1.0,
            marker=dots,
            markersize=3,
            label=name,
        )
    if best is not None and "val" in series:
        axes.plot(
            epochs[best],
            series["val"][best],
            "o",
            color=VERMILLION,
            markersize=6,
            markeredgecolor="white",
            markeredgewidth=1.2,
            zorder=5,
        )
    _ends(axes, epochs, series, colours)


def _ends(axes: Axes, epochs: np.ndarray, series: dict[str, np.ndarray], colours: dict[str, str]) -> None:
    """Write the name of each line beside its end, and apart from one another."""
    apart = 11.0
    # Settles the limits, which the heights below depend on.
    axes.get_ylim()
    lasts = {name: np.flatnonzero(~np.isnan(values))[-1] for name, values in series.items()}
    ends = {name: (epochs[last], series[name][last]) for name, last in lasts.items()}
    # In points from the bottom of the panel, which is where the eye compares them.
    heights = {name: axes.transData.transform(end)[1] * POINTS / DPI for name, end in ends.items()}
    shifts = dict.fromkeys(ends, 0.0)
    if len(ends) == 2:
        lower, upper = sorted(heights, key=lambda name: heights[name])
        missing = max(0.0, apart - (heights[upper] - heights[lower])) / 2
        shifts = {lower: -missing, upper: missing}
    for name, end in ends.items():
        axes.annotate(
            name,
            end,
            xytext=(8, shifts[name]),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colours[name],
        )


def _strip(axes: Axes, epochs: np.ndarray, rates: np.ndarray, best: int | None) -> None:
    """The learning rate, faintly."""
    highest = float(np.nanmax(rates))
    axes.fill_between(epochs, rates, color=FAINT, linewidth=0)
    axes.plot(epochs, rates, color=HAIRLINE, linewidth=1, marker="o" if len(epochs) == 1 else None, markersize=3)
    axes.set_ylim(0, 1.15 * highest if highest > 0 else 1)
    axes.set_yticks(*(([0, highest], ["0", f"{highest:.2g}"]) if highest > 0 else ([0], ["0"])))
    axes.set_title("learning rate", loc="left", fontsize=9, color=QUIET, pad=5)
    axes.spines["left"].set_visible(False)
    if best is not None:
        axes.axvline(epochs[best], color=HAIRLINE, linewidth=0.8, zorder=1)


def _epoch_axis(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(12, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel("epoch")
