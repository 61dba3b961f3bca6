"""The callback that long computations report to."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the units of work that are done, and their total.
Progress = Callable[[int, int], None]
