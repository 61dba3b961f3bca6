"""Kernels as one PNG: those over RGB in colours, all others as slices, blue for negative and orange for positive."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from zoo.reports.plots.colour_maps import diverging, shades
from zoo.reports.plots.image_grid import Block, Panel, Scale, near_square, page
from zoo.visualize.activation_maps.kernels import Kernels

#: Whether each filter has a colour scale of its own, or the layer.
Normalize = Literal["filter", "layer"]

#: Default number of filters: of one tile each, and of several slices.
LIMIT, SLICED_LIMIT = 256, 24
#: Maximum slices of a filter: in general, and of 1×1.
SLICES, POINTS = 64, 1024

#: Columns and tile side in pixels: of few filters, of more than :data:`_FEW`, and of slices.
_COLUMNS, _TILE = 10, 96
_MANY_COLUMNS, _SMALL_TILE = 15, 60
_SLICED_COLUMNS, _SLICED = 6, 184
_FEW = 64
#: A filter is dead if its largest weight is at most this share of the layer's largest.
DEAD = 1e-3
#: Between slices, which may be white.
_GREY = 204


def kernel_sheet(kernels: Kernels, *, normalize: Normalize = "filter", limit: int | None = None) -> np.ndarray:
    """Draw kernels in descending order of the sum of their squared weights: uint8 RGB.

    The default ``limit`` is :data:`LIMIT` filters, or :data:`SLICED_LIMIT` if filters have several slices.
    """
    weights = _finite(kernels)
    channels, count = weights.shape[2:]
    sliced = channels > 1 and not kernels.rgb
    order = strongest(weights, 3)[: limit or (SLICED_LIMIT if sliced else LIMIT)]
    largest = np.abs(weights).max(axis=(0, 1, 2))
    # Dead filters stay blank, whatever noise is in the last digits of their weights.
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
    """Indices along an axis in descending order of the sum of squares: int (n,)."""
    others = tuple(other for other in range(values.ndim) if other != axis)
    return np.argsort(-np.square(values, dtype="float64").sum(axis=others), kind="stable")


def dead_filters(kernels: Kernels) -> int:
    """The number of filters whose weights are almost 0."""
    largest = np.abs(_finite(kernels)).max(axis=(0, 1, 2))
    return int((largest <= DEAD * largest.max()).sum())


def described(kernels: Kernels) -> str:
    """``Conv2D: 32 filters of 3×3 weights for red, green and blue``."""
    height, width, channels, count = kernels.weights.shape
    over = (
        "red, green and blue" if kernels.rgb else "one channel" if channels == 1 else f"each of {channels:,} channels"
    )
    return f"{kernels.kind}: {count:,} filter{'s' * (count != 1)} of {height}×{width} weights for {over}"


def _left_out(kernels: Kernels, shown: int, sliced: bool) -> list[str]:
    """Notes on what is not on the page, and on the order."""
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


def _finite(kernels: Kernels) -> np.ndarray:
    finite: np.ndarray = np.nan_to_num(kernels.weights, nan=0.0, posinf=0.0, neginf=0.0)
    return finite


def _tile(pixels: np.ndarray, side: int) -> np.ndarray:
    """A small image enlarged by an integer factor."""
    factor = max(1, side // max(pixels.shape[:2]))
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _slices(kernel: np.ndarray) -> np.ndarray:
    """The channels of a filter (height, width, channels) side by side, in descending order of strength."""
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
    """``0.42``, ``7e-21``."""
    return f"{weight:.2g}" if weight >= 0.01 or weight == 0 else f"{weight:.0e}"


def _scale(rgb: bool, largest: float | None) -> Scale:
    """The colour scale, up to ``largest``, or each filter's own largest weight."""
    steps = np.linspace(-1, 1, 256)
    colours = np.repeat(shades(steps)[:, None], 3, axis=1) if rgb else diverging(steps)
    end = "largest" if largest is None else f"{largest:.3g}"
    return Scale(colours, f"−{end}", end, "0")


def _filling(count: int, most: int) -> int:
    """The number of columns, at most ``most``, that fills the last row if possible."""
    return min(count, next((columns for columns in range(most, 2 * most // 3, -1) if count % columns == 0), most))
