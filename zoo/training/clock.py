"""Where the time of a training goes, and its time limit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


def now() -> float:
    """Seconds of a clock that never goes back."""
    return time.monotonic()


@dataclass
class Clock:
    """Seconds used, by what they were used for, and the limit of their sum, if any."""

    limit: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        """Count seconds that were used for ``name``."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @contextlib.contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Count the seconds of a ``with`` block; nothing is counted if it raises."""
        started = now()
        yield
        self.add(name, now() - started)

    @property
    def elapsed(self) -> float:
        """Seconds used in all."""
        return sum(self.seconds.values())
