"""What the frames of a video say together: the mean of their probabilities, and a vote each for its best class."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.images.sources import Source


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame: its time in seconds, its best class with the probability, 0-1, or why there is none."""

    time: float
    label: str | None = None
    index: int | None = None
    score: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames in a row with the same label: the times of the first and the last, and how many they are."""

    start: float
    end: float
    label: str
    frames: int


class Tally:
    """Counts the frames of one video as they come. Of each, a time, a label and a score are kept."""

    def __init__(self) -> None:
        """Begin with none."""
        self.moments: list[Moment] = []
        #: Why frames are missing, each time it happened.
        self.errors: list[str] = []
        self._sum: np.ndarray | None = None
        self._count = 0

    def add(self, moment: Moment, probabilities: np.ndarray) -> None:
        """Count a frame with its probabilities, float (classes,)."""
        self.moments.append(moment)
        self._sum = probabilities.astype(np.float64) if self._sum is None else self._sum + probabilities
        self._count += 1

    def fail(self, seconds: float | None, error: str) -> None:
        """Note that there is nothing at a time; ``None`` for a video that cannot be read at all."""
        self.errors.append(error)
        if seconds is not None:
            self.moments.append(Moment(seconds, error=error))

    @property
    def mean(self) -> np.ndarray | None:
        """The mean of the probabilities, float64 (classes,); ``None`` where there are none."""
        return None if self._sum is None else self._sum / self._count

    @property
    def votes(self) -> dict[str, int]:
        """How many frames have each label as their best, the most frequent first."""
        return dict(Counter(moment.label for moment in self.moments if moment.label is not None).most_common())

    @property
    def error(self) -> str | None:
        """The first reason why frames are missing, and how many more there are."""
        if not self.errors:
            return None
        more = len(self.errors) - 1
        return self.errors[0] + (f" (and {more} more such {'places' if more > 1 else 'place'})" if more else "")


def video_of(row: tuple[Source, object]) -> object:
    """A key that groups the frames of one video, and keeps images apart."""
    frame = row[0].frame
    return object() if frame is None else frame.video


def segments(moments: Sequence[Moment]) -> Iterator[Segment]:
    """The frames in order of time, those with the same label in a row together; missing ones part them."""
    for label, members in itertools.groupby(moments, lambda moment: moment.label):
        row = list(members)
        if label is not None:
            yield Segment(row[0].time, row[-1].time, label, len(row))
