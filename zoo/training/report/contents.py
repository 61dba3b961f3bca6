"""The contents of a report: plain values, all of them optional but the title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.checks.findings import Finding

#: The splits in the order in which they are listed.
SPLITS = ("train", "val", "test")
#: The maximum of images in a gallery.
SHOWN = 24


@dataclass(frozen=True, eq=False)
class GalleryImage:
    """An image with its true and its predicted class.

    ``pixels`` is uint8 RGB (height, width, 3); if omitted, the image is read from ``path``. ``overlay`` is a second
    image beside it, such as a Grad-CAM. ``score`` is the probability of the predicted class, 0-1, ``truth_score`` that
    of the true one.
    """

    path: str
    truth: str
    predicted: str
    score: float
    pixels: np.ndarray | None = None
    overlay: np.ndarray | None = None
    truth_score: float | None = None


class PhaseEpochs(NamedTuple):
    """A phase of a training, such as the head alone: its name, its first and its last epoch."""

    name: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class RunReport:
    """Everything that a report shows; what is empty is left out.

    Attributes:
        title: the name of the run.
        command: the shell command that repeats it.
        when: the day it ended, in ISO 8601.
        facts: (name, value) pairs, such as the model, the licence of its weights, the device, the seconds.
        plan: sentences on how it was trained, and why.
        metrics: for each of :data:`SPLITS` that there is, a mapping as :func:`zoo.evaluation.metrics.summary` makes it.
            Each key may be missing: ``train`` has ``loss`` and ``top1`` only, an autoencoder ``n`` and ``loss``.
        history: the rows of ``history.csv``.
        best_epoch: the epoch whose weights were kept.
        phases: in order.
        classes: names of the classes, in the order of ``confusion``.
        confusion: the confusion matrix (c, c) of the split that was evaluated last, true classes in rows.
        counts: images by class and split.
        findings: of the check of the data.
        failed: (path, reason) of each file that could not be read.
        wrong: mistakes, the most confident first.
        right: correct predictions, the least confident first.
    """

    title: str
    command: str = ""
    when: str = ""
    facts: Sequence[tuple[str, Any]] = ()
    plan: Sequence[str] = ()
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    best_epoch: int | None = None
    phases: Sequence[PhaseEpochs] = ()
    classes: Sequence[str] = ()
    confusion: np.ndarray | None = None
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    failed: Sequence[tuple[str, str]] = ()
    wrong: Sequence[GalleryImage] = ()
    right: Sequence[GalleryImage] = ()

    def __post_init__(self) -> None:
        """Check that names and counts of the confusion matrix belong together.

        Raises:
            UsageError: they do not.
        """
        if self.confusion is None:
            return
        shape = np.shape(self.confusion)
        if shape != (len(self.classes), len(self.classes)):
            raise UsageError(f"A confusion matrix of the shape {shape} does not go with {len(self.classes)} classes.")

    @property
    def evaluated(self) -> str | None:
        """The split whose metrics count: ``test``, else ``val``; ``None`` if there is neither."""
        return next((split for split in ("test", "val") if self.metrics.get(split)), None)

    @property
    def known(self) -> Mapping[str, Any]:
        """The metrics of that split; empty if there is none."""
        return self.metrics.get(self.evaluated or "", {})
