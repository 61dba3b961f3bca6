"""Numbers as people read them, on pages and in plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, TypeGuard

#: Names listed before the rest is counted.
LISTED = 6

_UNKNOWN = "—"


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number, of Python or NumPy."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def number(value: Any) -> str:
    """``12,345`` for integers, four digits for others; a dash for what is not a number."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if is_number(value) else _UNKNOWN


def percent(share: Any, decimals: int = 1) -> str:
    """``91.7 %`` for 0.917, with a no-break space; a dash for what is not a number."""
    return f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%" if is_number(share) else _UNKNOWN


def listed(names: Sequence[str]) -> str:
    """The first names, separated by commas, and how many more there are."""
    shown = ", ".join(names[:LISTED])
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED:,} more"
