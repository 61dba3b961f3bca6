"""Learning-rate schedules: the part of the highest rate that a step has, by the share of the training that is done."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo.core.errors import UsageError

NAMES = ("constant", "cosine", "linear", "step", "exponential")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A warm-up from nothing along a line, then one of five ways down.

    ``cosine`` with a warm-up of a fifth is what is known as one-cycle. All are functions of the share of the training
    that is done, 0-1, so that they are the same for any number of epochs, and for a training limited by time.
    """

    #: ``constant``; ``cosine``, half a wave; ``linear``; ``step``, times ``factor`` at each milestone; ``exponential``.
    name: str = "cosine"
    #: Share of the training in which the rate rises.
    warmup: float = 0.1
    #: Part of the highest rate that is left at the end, for cosine, linear and exponential.
    final: float = 0.0
    #: Shares of the training at which ``step`` goes down.
    milestones: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UsageError: a value out of range.
        """
        if self.name not in NAMES:
            raise UsageError(f"schedule.name is one of {', '.join(NAMES)}. Received: {self.name!r}")
        if not 0 <= self.warmup < 1:
            raise UsageError(f"schedule.warmup is a share of the training, from 0 to below 1. Received: {self.warmup}")
        if not 0 <= self.final <= 1:
            raise UsageError(f"schedule.final is a part of the learning rate, from 0 to 1. Received: {self.final}")
        if self.name == "exponential" and self.final == 0:
            raise UsageError("schedule.final is above 0 for an exponential schedule, which never reaches 0.")
        if not all(0 < share < 1 for share in self.milestones):
            raise UsageError(f"schedule.milestones are shares of the training. Received: {list(self.milestones)}")

    @classmethod
    def from_mapping(cls, values: Any) -> Schedule:
        """A schedule of plain values.

        Raises:
            UsageError: an unknown key, or a value of a wrong type or out of range.
        """
        if not isinstance(values, Mapping):
            raise UsageError(f"schedule is a name, or a mapping with one, {{name: cosine, …}}. Received: {values!r}")
        known = [field.name for field in dataclasses.fields(cls)]
        ready = dict(values)
        for key, value in values.items():
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                raise UsageError(f"there is no 'schedule.{key}'.{hint}")
            if key == "milestones":
                ready[key] = tuple(_number(key, item) for item in value) if isinstance(value, list | tuple) else value
            elif key != "name":
                ready[key] = _number(key, value)
        return cls(**ready)

    def __call__(self, done: float) -> float:
        """The part of the highest learning rate, 0-1, when ``done``, 0-1, of the training is behind."""
        done = min(max(done, 0.0), 1.0)
        if done < self.warmup:
            return done / self.warmup
        # The way down begins where the warm-up ends.
        down = (done - self.warmup) / (1 - self.warmup)
        if self.name == "cosine":
            return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * down))
        if self.name == "linear":
            return 1 - (1 - self.final) * down
        if self.name == "exponential":
            return float(self.final**down)
        if self.name == "step":
            return float(self.factor ** sum(done >= share for share in self.milestones))
        return 1.0


def _number(key: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"schedule.{key} is a number. Received: {value!r}") from None
