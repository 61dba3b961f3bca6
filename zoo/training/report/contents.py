"""What the page of a run is made from: plain values, all of them optional but the title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.core.errors import UsageError

#: The splits in the order in which they are listed. The last one that was judged is the one that counts.
SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Shown:
    """An image of the gallery, with what the network says it is.

    ``pixels`` is uint8 RGB (height, width, 3) of any size; without, the image is read from ``path``. ``overlay`` is a
    second image of that kind which stands beside it, such as a Grad-CAM. ``truth_score`` is the probability of the
    true class, from 0 to 1 like ``score``, that of the predicted one.
    """

    path: str
    truth: str
    predicted: str
    score: float
    pixels: np.ndarray | None = None
    overlay: np.ndarray | None = None
    truth_score: float | None = None


@dataclass(frozen=True)
class Phase:
    """A part of a training, such as the head alone: its name, its first and its last epoch."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Finding:
    """Something that a check of the data found.

    ``severity`` is ``error``, ``warning`` or ``note`` (another word is shown as it is); ``kind`` a short name such as
    ``leak``; ``text`` a sentence; ``paths`` the files it is about.
    """

    severity: str
    kind: str
    text: str
    paths: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class RunReport:
    """Everything that the page shows; what is empty is left out.

    Attributes:
        title: what the run is called.
        command: what repeats it in a shell, exactly.
        when: the day it ended, as in ISO 8601.
        facts: (name, value) pairs, such as the network, the licence of its weights, the device, the seconds.
        plan: sentences that say how it was trained, and why so.
        metrics: for each of ``train``, ``val`` and ``test`` that there is, a mapping as
            :func:`zoo.evaluation.metrics.summary` makes it. Each key may be missing: training has ``loss`` and ``top1`` alone, a
            network that draws its input again has ``n`` and ``loss``.
        history: the rows of :class:`zoo.training.history.History`.
        best_epoch: the one whose weights were kept.
        phases: parts of the training, in order.
        classes: names of the classes, in the order of ``confusion``.
        confusion: counts (c, c) of the split that was judged last, the true class down; as
            :func:`zoo.evaluation.metrics.confusion` makes them.
        counts: images by class and split, as :meth:`zoo.data.sources.dataset.Dataset.counts` makes them.
        findings: what a check of the data found.
        failed: (path, reason) of what could not be read.
        wrong: mistakes, the surest first.
        right: images that were named right, the least sure first.
    """

    title: str
    command: str = ""
    when: str = ""
    facts: Sequence[tuple[str, Any]] = ()
    plan: Sequence[str] = ()
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    best_epoch: int | None = None
    phases: Sequence[Phase] = ()
    classes: Sequence[str] = ()
    confusion: np.ndarray | None = None
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    failed: Sequence[tuple[str, str]] = ()
    wrong: Sequence[Shown] = ()
    right: Sequence[Shown] = ()

    def __post_init__(self) -> None:
        """Check that names and counts of the confusion belong together.

        Raises:
            UsageError: they do not.
        """
        if self.confusion is None:
            return
        shape = np.shape(self.confusion)
        if shape != (len(self.classes), len(self.classes)):
            raise UsageError(f"A confusion matrix of the shape {shape} does not go with {len(self.classes)} classes.")

    @property
    def judged(self) -> str | None:
        """The split whose figures count: ``test``, else ``val``; ``None`` where nothing was held back."""
        return next((split for split in ("test", "val") if self.metrics.get(split)), None)
