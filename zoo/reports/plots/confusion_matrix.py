"""The confusion matrix as a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.reports.confusion_cells import class_shares, strength
from zoo.reports.plots import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The maximum side of the matrix and of one cell, in pixels.
SIDE, CELL = 840, 110

#: From 0 to 1: shades of Okabe and Ito's blue for right predictions, of their vermillion for wrong ones.
_RIGHT = ("#FFFFFF", "#9CCBE8", "#0072B2", "#00507E")
_WRONG = ("#FFFFFF", "#F3AB7A", "#D55E00", "#8A3D00")
_TICKS = (0.0, 0.01, 0.05, 0.25, 0.5, 1.0)

_EDGE, _PAD = 0.2, 0.06
_LONGEST_NAME = 1.5
_SMALLEST = 5.0


def confusion_image(matrix: np.ndarray, names: Sequence[str], *, title: str | None = None) -> np.ndarray:
    """Draw a confusion matrix, true classes in rows and predicted ones in columns.

    Colours give the share of the true class, blue on the diagonal and orange off it; counts are written into cells
    that are large enough. With many classes some names are left out.

    Args:
        matrix: counts (c, c).
        names: of the c classes.
        title: above the matrix.

    Returns:
        uint8 RGB (height, width, 3).

    Raises:
        UsageError: the matrix is not square, or has not one name per row.
    """
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(names) != len(matrix):
        raise UsageError(f"A confusion matrix of the shape {matrix.shape} does not go with {len(names)} classes.")
    if not len(matrix):
        return canvas.note("No classes.")
    with canvas.style():
        return _draw(matrix, names, title)


def _draw(matrix: np.ndarray, names: Sequence[str], title: str | None) -> np.ndarray:
    classes = len(matrix)
    cell = max(1, min(CELL, SIDE // classes))
    side = cell * classes / canvas.DPI
    points = min(9.0, max(_SMALLEST, 0.8 * cell * canvas.POINTS / canvas.DPI))
    step = math.ceil(1.2 * points * canvas.DPI / canvas.POINTS / cell)
    shown = [canvas.shortened(names[index], points, _LONGEST_NAME) for index in range(0, classes, step)]
    longest = max(canvas.text_width(name, points) for name in shown)
    flat = longest <= 0.92 * cell / canvas.DPI
    across = points / canvas.POINTS if flat else longest

    left, below = _EDGE + 0.2 + longest + _PAD, _EDGE + 0.2 + across + _PAD
    above = _EDGE + (0.5 if title else 0.28)
    right, total = int(np.trace(matrix)), int(matrix.sum())
    heading = f"{right:,} of {total:,} right: {100 * right / total:.1f} %" if total else "no images"
    width = max(left + side + 1.0, left + canvas.text_width(heading, 8) + _EDGE)
    height = below + side + above
    figure = canvas.new_figure(width, height)
    axes = figure.add_axes((left / width, below / height, side / width, side / height))
    shares = class_shares(matrix)
    diagonal = np.eye(classes, dtype=bool)[..., None]
    axes.imshow(np.where(diagonal, _colour(shares, _RIGHT), _colour(shares, _WRONG)), interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(True)
    if cell >= 16:
        for line in range(1, classes):
            axes.axhline(line - 0.5, color="#EEEEEE", linewidth=0.5)
            axes.axvline(line - 0.5, color="#EEEEEE", linewidth=0.5)
    _counts(axes, matrix, shares, cell)

    places = list(range(0, classes, step))
    tick = 0 if step == 1 else 2
    axes.set_xticks(places, shown, fontsize=points, rotation=0 if flat else 90)
    axes.set_yticks(places, shown, fontsize=points)
    axes.tick_params(length=tick, pad=3, labelcolor=canvas.INK)
    across, up = (left + side / 2) / width, (below + side / 2) / height
    small: dict[str, Any] = {"fontsize": 8, "color": canvas.QUIET}
    figure.text(across, _EDGE / height, "predicted class", ha="center", **small)
    figure.text(_EDGE / width, up, "true class", ha="left", va="center", rotation=90, **small)
    canvas.write_heading(figure, left, title, {heading: canvas.QUIET})
    _legend(figure, (left + side + 0.2, below), min(max(side - 0.35, 0.9), 1.8), (width, height))
    return canvas.to_pixels(figure)


def _colour(shares: np.ndarray, hues: tuple[str, ...]) -> np.ndarray:
    """Colours (…, 3) of shares (…) from 0 to 1."""
    from matplotlib.colors import LinearSegmentedColormap

    colours: np.ndarray = LinearSegmentedColormap.from_list("shares", hues)(strength(shares))
    return colours[..., :3]


def _counts(axes: Axes, matrix: np.ndarray, shares: np.ndarray, cell: int) -> None:
    """Write the counts that are not 0 into the cells, if the widest fits."""
    room = 0.84 * cell / canvas.DPI
    widest = max((f"{count:,}" for count in np.unique(matrix)), key=len)
    points = min(9.0, 9.0 * room / canvas.text_width(widest, 9), 0.5 * cell * canvas.POINTS / canvas.DPI)
    if points < _SMALLEST:
        return
    for row, column in np.argwhere(matrix):
        # White on dark shades.
        dark = strength(shares[row, column]) > (0.5 if row == column else 0.55)
        axes.text(
            column,
            row,
            f"{matrix[row, column]:,}",
            ha="center",
            va="center_baseline",
            fontsize=points,
            color="white" if dark else canvas.INK,
        )


def _legend(figure: Figure, corner: tuple[float, float], length: float, page: tuple[float, float]) -> None:
    """A strip of both colours with their shares; ``corner`` is its lower left in inches."""
    width, height = page
    axes = figure.add_axes((corner[0] / width, corner[1] / height, 0.24 / width, length / height))
    scale = np.linspace(0, 1, 256)[:, None] ** 2
    strips = np.concatenate([_colour(scale, _RIGHT), _colour(scale, _WRONG)], axis=1)
    axes.imshow(strips, origin="lower", aspect="auto", extent=(0, 2, 0, 1), interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.set_xticks([0.5, 1.5], ["right", "wrong"], fontsize=7, rotation=90)
    axes.set_title("share of\ntrue class", loc="left", fontsize=7, color=canvas.QUIET, pad=5)
    axes.yaxis.tick_right()
    axes.set_yticks(strength(np.array(_TICKS)), [f"{100 * tick:.0f} %" for tick in _TICKS], fontsize=7)
    axes.tick_params(axis="y", length=2, color=canvas.HAIRLINE)
    axes.tick_params(axis="x", length=0)
