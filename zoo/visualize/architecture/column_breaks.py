"""Break a long drawing into columns that fit a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: Maximum columns, and maximum ratio of height to width; that of A4 is 1.41.
_MOST, _ASPECT = 6, 1.35
#: A part higher than this share of the total prevents columns.
_MOST_OF = 0.6
#: A drawing up to this height has one column.
_SHORT = 640.0


def break_into_columns(
    heights: Sequence[float], gap: float, width_of: Callable[[int, int], float], between: float
) -> list[tuple[int, int]]:
    """Break stacked parts into columns: for each its first part and the one after its last."""
    best = [(0, len(heights))]
    if max(heights) > _MOST_OF * sum(heights):
        return best
    for count in range(1, min(_MOST, len(heights)) + 1):
        best = _even(heights, gap, count)
        height = max(sum(heights[a:b]) + gap * (b - a - 1) for a, b in best)
        width = sum(width_of(a, b) for a, b in best) + between * (len(best) - 1)
        if height <= max(_SHORT, width * _ASPECT):
            break
    return best


def _even(heights: Sequence[float], gap: float, count: int) -> list[tuple[int, int]]:
    """At most ``count`` columns, the highest as low as possible."""
    low, high = max(heights), sum(heights) + gap * len(heights)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if len(_filled(heights, gap, middle)) <= count else (middle, high)
    return _filled(heights, gap, high)


def _filled(heights: Sequence[float], gap: float, limit: float) -> list[tuple[int, int]]:
    found, start, height = [], 0, 0.0
    for number, part in enumerate(heights):
        if number > start and height + gap + part > limit:
            found.append((start, number))
            start, height = number, 0.0
        height += part + (gap if number > start else 0)
    return [*found, (start, len(heights))]
