"""Scales from values to coordinates, and the round numbers on their axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Losses that span more than this have a logarithmic axis.
SPAN = 12.0
#: A logarithmic axis over more than this has powers of ten only.
_WIDE = 300.0
#: The margin on either side, as a share of the range of values.
_MARGIN = 0.06


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic map from the values ``low`` to ``high`` onto ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        place = ((math.log(value) if self.log else value) - low) / (high - low)
        return self.start + place * (self.end - self.start)

    def ticks(self, count: int) -> list[float]:
        """At most ``count`` round numbers; a few more on a logarithmic scale."""
        if not self.log:
            return ticks(self.low, self.high, count)
        factors = (1.0,) if self.high / self.low > _WIDE else (1.0, 2.0, 5.0)
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found = [factor * 10.0**power for power in powers for factor in factors]
        found = [value for value in found if self.low <= value <= self.high]
        return found[:: math.ceil(len(found) / (count + 2))] if found else []


def value_scale(values: Sequence[float], start: float, end: float, *, share: bool) -> Scale:
    """The scale of at least one finite value.

    Args:
        values: the values.
        start: the coordinate of the lowest.
        end: the coordinate of the highest.
        share: they are from 0 to 1, and so is the scale; otherwise it is logarithmic if they span much.
    """
    low, high = min(values), max(values)
    if not share and low > 0 and high / low > SPAN:
        slack = (high / low) ** _MARGIN
        return Scale(low / slack, high * slack, start, end, log=True)
    # Equal values are in the middle.
    slack = _MARGIN * (high - low) or 0.1 * abs(high) or 0.1
    low, high = low - slack, high + slack
    return Scale(max(0.0, low) if share else low, min(1.0, high) if share else high, start, end)


def ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """At most ``count`` multiples of 1, 2, 2.5 or 5 times a power of ten; of whole numbers alone if ``whole``."""
    rough = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0, 20.0):
        step = factor * power
        if whole and (step < 1 or step % 1):
            continue
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < count:
            return [round(index * step, 12) for index in range(first, last + 1)]
    return [math.ceil(low)] if whole else [low]
