"""The prediction for a video: the mean probabilities of its frames, and how often each class is the best."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.images.source import Source


@dataclass(frozen=True, slots=True)
class FramePrediction:
    """One frame: its time in seconds, its best class with the probability, 0-1, or why there is none."""

    time: float
    label: str | None = None
    index: int | None = None
    score: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive frames with the same label: the times of the first and the last, and their number."""

    start: float
    end: float
    label: str
    frames: int


class VideoPrediction:
    """Collects the predictions for the frames of one video; of each a time, a label and a score are kept."""

    def __init__(self) -> None:
        """Begin without frames."""
        self.frames: list[FramePrediction] = []
        #: Why frames are missing, each time it happened.
        self.errors: list[str] = []
        self._sum: np.ndarray | None = None
        self._count = 0

    def add(self, frame: FramePrediction, probabilities: np.ndarray) -> None:
        """Add a frame with its probabilities, float (classes,)."""
        self.frames.append(frame)
        self._sum = probabilities.astype(np.float64) if self._sum is None else self._sum + probabilities
        self._count += 1

    def fail(self, seconds: float | None, error: str) -> None:
        """Note a frame that cannot be read; ``None`` for a video that cannot be read at all."""
        self.errors.append(error)
        if seconds is not None:
            self.frames.append(FramePrediction(seconds, error=error))

    @property
    def mean(self) -> np.ndarray | None:
        """The mean of the probabilities, float64 (classes,); ``None`` without frames."""
        return None if self._sum is None else self._sum / self._count

    @property
    def votes(self) -> dict[str, int]:
        """How many frames have each label as their best, the most frequent first."""
        return dict(Counter(frame.label for frame in self.frames if frame.label is not None).most_common())

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


def segments(frames: Sequence[FramePrediction]) -> Iterator[Segment]:
    """Consecutive frames with the same label together, in order of time; missing frames separate them."""
    for label, members in itertools.groupby(frames, lambda frame: frame.label):
        row = list(members)
        if label is not None:
            yield Segment(row[0].time, row[-1].time, label, len(row))
