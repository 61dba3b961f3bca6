"""Learning-rate schedules: the share of the peak learning rate at each point of the training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean


class Decay(NamedTuple):
    """A schedule after its warm-up: a function of schedule, share of the training and share of the decay."""

    factor: Callable[[Schedule, float, float], float]
    reaches_zero: bool = True  #: Whether ``final`` may be 0.


#: The schedules. A new one is a row.
SCHEDULES = {
    "constant": Decay(lambda s, done, t: 1.0),
    # Half a wave.
    "cosine": Decay(lambda s, done, t: s.final + (1 - s.final) * 0.5 * (1 + math.cos(math.pi * t))),
    "linear": Decay(lambda s, done, t: 1 - (1 - s.final) * t),
    # Times ``factor`` at each milestone.
    "step": Decay(lambda s, done, t: s.factor ** sum(done >= share for share in s.milestones)),
    "exponential": Decay(lambda s, done, t: s.final**t, reaches_zero=False),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A linear warm-up, then a decay of :data:`SCHEDULES`; all lengths are shares of the training."""

    name: str = "cosine"
    warmup: float = 0.1  #: Share of the training in which the rate rises.
    final: float = 0.0  #: Share of the peak rate that is left at the end, for cosine, linear and exponential.
    milestones: tuple[float, ...] = (0.5, 0.75)  #: Shares of the training at which ``step`` goes down.
    factor: float = 0.1

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.name not in SCHEDULES:
            raise UsageError(f"schedule.name is one of {', '.join(SCHEDULES)}. Received: {self.name!r}")
        if not 0 <= self.warmup < 1:
            raise UsageError(f"schedule.warmup is a share of the training, from 0 to below 1. Received: {self.warmup}")
        if not 0 <= self.final <= 1:
            raise UsageError(f"schedule.final is a share of the learning rate, from 0 to 1. Received: {self.final}")
        if self.final == 0 and not SCHEDULES[self.name].reaches_zero:
            raise UsageError(f"schedule.final is above 0 for the schedule {self.name}, which never reaches 0.")
        if not all(0 < share < 1 for share in self.milestones):
            raise UsageError(f"schedule.milestones are shares of the training. Received: {list(self.milestones)}")

    @classmethod
    def from_mapping(cls, values: Any) -> Schedule:
        """A schedule of plain values."""
        if not isinstance(values, Mapping):
            raise UsageError(f"schedule is a name, or a mapping with one, {{name: cosine, …}}. Received: {values!r}")
        known = [field.name for field in dataclasses.fields(cls)]
        ready = dict(values)
        for key, value in values.items():
            if key not in known:
                raise UsageError(f"there is no 'schedule.{key}'.{did_you_mean(key, known)}")
            if key == "milestones":
                ready[key] = tuple(_number(key, item) for item in value) if isinstance(value, list | tuple) else value
            elif key != "name":
                ready[key] = _number(key, value)
        return cls(**ready)

    def __call__(self, done: float) -> float:
        """The share of the peak learning rate, 0-1, when ``done``, 0-1, of the training is done."""
        done = min(max(done, 0.0), 1.0)
        if done < self.warmup:
            return done / self.warmup
        # The decay begins where the warm-up ends.
        return float(SCHEDULES[self.name].factor(self, done, (done - self.warmup) / (1 - self.warmup)))


def _number(key: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"schedule.{key} is a number. Received: {value!r}") from None
