"""Kernels on a page: those that see colours in colours, all others as slices, blue for minus and orange for plus."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from zoo.reports.plots.colour_maps import diverging
from zoo.reports.plots.kernels import near_square, shades
from zoo.reports.plots.panels import Block, Panel, Scale, page
from zoo.visualize.activation_maps.kernels import Kernels

#: ``filter``: the largest weight of each filter has the strongest colour; ``layer``: that of all filters has.
Normalize = Literal["filter", "layer"]

#: Filters that are shown where nothing else is said: those of one image each, and those of many slices.
LIMIT, SLICED_LIMIT = 256, 24
#: Slices that are shown of a filter: of any size, and of a single weight.
SLICES, POINTS = 64, 1024

#: Images in a line and their side in pixels: of few filters, of more than :data:`_FEW`, and of slices.
_COLUMNS, _TILE = 10, 96
_MANY_COLUMNS, _SMALL_TILE = 15, 60
_SLICED_COLUMNS, _SLICED = 6, 184
_FEW = 64
#: A filter with no larger weights than this share of the layer's largest does nothing.
DEAD = 1e-3
#: Between two slices, which may be white.
_GREY = 204


def kernel_sheet(kernels: Kernels, *, normalize: Normalize = "filter", limit: int | None = None) -> np.ndarray:
    """Draw kernels, the strongest filters first: those whose weights have the largest sum of squares.

    Args:
        kernels: of one layer.
        normalize: whether each filter has a scale of its own, or the layer has one.
        limit: filters to show; without, :data:`LIMIT`, or :data:`SLICED_LIMIT` where a filter has several slices.

    Returns:
        uint8 RGB (height, width, 3).
    """
    weights = np.nan_to_num(kernels.weights, nan=0.0, posinf=0.0, neginf=0.0)
    channels, count = weights.shape[2:]
    sliced = channels > 1 and not kernels.rgb
    order = strongest(weights, 3)[: limit or (SLICED_LIMIT if sliced else LIMIT)]
    largest = np.abs(weights).max(axis=(0, 1, 2))
    # Filters that do nothing stay blank, whatever pattern there is in the last digits of their weights.
    tops = np.maximum(largest, DEAD * largest.max()) if normalize == "filter" else np.full(count, largest.max())
    small = not sliced and len(order) > _FEW
    dead = dead_filters(kernels)
    panels = []
    for number in order:
        kernel = weights[..., number] / (tops[number] or 1)
        if sliced:
            drawn = _slices(kernel)
        else:
            drawn = _tile(shades(kernel) if kernels.rgb else diverging(kernel[..., 0]), _SMALL_TILE if small else _TILE)
        # Where there is room, how far each filter's own scale goes.
        line = f"{number}" if small or normalize == "layer" else f"{number}  ±{_short(largest[number])}"
        panels.append(Panel(drawn, lines=[line]))
    columns = _SLICED_COLUMNS if sliced else _filling(len(panels), _MANY_COLUMNS if small else _COLUMNS)
    return page(
        [Block(panels, columns, f"{kernels.layer} of {kernels.model}")],
        scales=[_scale(kernels.rgb, largest.max() if normalize == "layer" else None)],
        notes=[
            described(kernels),
            *(["Each filter has a scale of its own, up to its largest weight."] if normalize == "filter" else []),
            *([f"{dead:,} of them do nothing: their weights are less than {DEAD:g} of the largest."] if dead else []),
            *_left_out(kernels, len(order), sliced),
        ],
    )


def strongest(values: np.ndarray, axis: int) -> np.ndarray:
    """Places along an axis, those with the largest sum of squares first: int (n,)."""
    others = tuple(other for other in range(values.ndim) if other != axis)
    return np.argsort(-np.square(values, dtype="float64").sum(axis=others), kind="stable")


def dead_filters(kernels: Kernels) -> int:
    """How many filters do nothing, as their weights are next to 0."""
    largest = np.abs(np.nan_to_num(kernels.weights, nan=0.0, posinf=0.0, neginf=0.0)).max(axis=(0, 1, 2))
    return int((largest <= DEAD * largest.max()).sum())


def described(kernels: Kernels) -> str:
    """What the kernels are: ``Conv2D: 32 filters of 3×3 weights for red, green and blue``."""
    height, width, channels, count = kernels.weights.shape
    over = (
        "red, green and blue" if kernels.rgb else "one channel" if channels == 1 else f"each of {channels:,} channels"
    )
    return f"{kernels.kind}: {count:,} filter{'s' * (count != 1)} of {height}×{width} weights for {over}"


def _left_out(kernels: Kernels, shown: int, sliced: bool) -> list[str]:
    """What is not on the page, and in which order the rest is."""
    height, width, channels, count = kernels.weights.shape
    lines = []
    if shown < count:
        lines.append(f"The {shown:,} strongest of {count:,} filters, by the sum of their squared weights.")
    most = POINTS if height * width == 1 else SLICES
    if sliced and channels > most:
        lines.append(f"Of each filter the {most:,} strongest of {channels:,} input channels, the strongest first.")
    elif sliced:
        lines.append("The slices of a filter are its input channels, the strongest first.")
    return lines


def _tile(pixels: np.ndarray, side: int) -> np.ndarray:
    """A small image enlarged by a whole factor."""
    factor = max(1, side // max(pixels.shape[:2]))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _slices(kernel: np.ndarray) -> np.ndarray:
    """The channels of a filter (height, width, channels) side by side, the strongest first."""
    height, width, _ = kernel.shape
    shown = strongest(kernel, 2)[: POINTS if height * width == 1 else SLICES]
    across = near_square(len(shown))
    gap = 0 if height * width == 1 else 1
    factor = max(1, (_SLICED // across - gap) // max(height, width))
    tall, wide = height * factor + gap, width * factor + gap
    drawn = np.full((math.ceil(len(shown) / across) * tall + gap, across * wide + gap, 3), 255, np.uint8)
    for place, channel in enumerate(shown):
        top, left = place // across * tall + gap, place % across * wide + gap
        tile = diverging(kernel[..., channel]).repeat(factor, axis=0).repeat(factor, axis=1)
        drawn[top - gap : top + tall, left - gap : left + wide] = _GREY
        drawn[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return drawn


def _short(weight: float) -> str:
    """A number for a small place: ``0.42``, ``7e-21``."""
    return f"{weight:.2g}" if weight >= 0.01 or weight == 0 else f"{weight:.0e}"


def _scale(rgb: bool, largest: float | None) -> Scale:
    """The colours of weights, up to the largest one of the layer, or of each filter."""
    steps = np.linspace(-1, 1, 256)
    colours = np.repeat(shades(steps)[:, None], 3, axis=1) if rgb else diverging(steps)
    end = "largest" if largest is None else f"{largest:.3g}"
    return Scale(colours, f"−{end}", end, "0")


def _filling(count: int, most: int) -> int:
    """Images side by side, so that the last line is full if that can be."""
    return min(count, next((columns for columns in range(most, 2 * most // 3, -1) if count % columns == 0), most))
