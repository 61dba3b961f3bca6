"""What a training tells whoever looks on, and asks of them; this one does neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training is after a step. Epochs and steps count from 1; times are in seconds."""

    epoch: int
    epochs: int
    step: int
    steps: int
    learning_rate: float
    #: Running means over the epoch; ``top1`` is missing for a network that does not classify.
    values: Mapping[str, float]
    images_per_second: float
    #: Until the last epoch ends, or the time is over.
    remaining: float


class Watcher:
    """Base of those who look on; every method may be overridden."""

    def note(self, text: str) -> None:
        """A sentence worth reading."""

    def reading(self, split: str, done: int, total: int) -> None:
        """So many of a split's images have been read."""

    def step(self, progress: Progress) -> None:
        """A step is done."""

    def epoch(self, row: Mapping[str, float], epochs: int, best: bool) -> None:
        """An epoch is done and judged: its row of ``history.csv``, and whether it is the best so far."""

    def stop(self) -> bool:
        """Whether the training shall stop after this step, to be resumed later."""
        return False
