"""The protocol of callbacks: what a training reports, and what a callback can read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from zoo.core.spec import ModelSpec
    from zoo.data.checks.findings import Finding
    from zoo.data.dataset import Dataset
    from zoo.training.clock import Clock
    from zoo.training.learner import Learner
    from zoo.training.phase import Phase
    from zoo.training.predict import SplitPredictions
    from zoo.training.run import Run
    from zoo.training.settings import Settings


class Context(Protocol):
    """What a callback can read of its training, at any time."""

    settings: Settings
    run: Run
    spec: ModelSpec
    dataset: Dataset
    clock: Clock
    #: A row of numbers for each epoch.
    history: list[dict[str, float]]
    #: What the check of the data found.
    findings: tuple[Finding, ...]
    #: The final predictions on the split that was evaluated last: test where there is one, else val.
    predictions: SplitPredictions | None

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Paths of the files that were left out, with the reasons."""
        ...

    def metadata(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The metadata of ``model.keras``, with metrics by split."""
        ...

    def state(self) -> tuple[list[np.ndarray], dict[str, Any]]:
        """Arrays and plain values from which the training can be resumed."""
        ...


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where a training is after a step. Epochs and steps count from 1; times are in seconds."""

    epoch: int
    epochs: int
    step: int
    steps: int
    learning_rate: float
    #: Means over the epoch so far; ``top1`` is missing for an autoencoder.
    values: Mapping[str, float]
    images_per_second: float
    #: Until the last epoch or the time limit.
    remaining: float


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """An epoch that has been trained and evaluated."""

    #: Its row of ``history.csv``.
    row: Mapping[str, float]
    #: The number of epochs in all.
    epochs: int
    is_best: bool
    #: The number of the best epoch so far.
    best_epoch: int
    learner: Learner
    #: Whether slow files are to be written now: at most every :data:`zoo.training.epochs.SAVE_EVERY` seconds.
    due: bool


class Callback:
    """Base class of callbacks; override what you need. Exceptions end the training."""

    context: Context

    @classmethod
    def wanted(cls, settings: Settings) -> bool:
        """For a built-in callback: whether a training with these settings has it."""
        return True

    def on_message(self, text: str) -> None:
        """A sentence for the user."""

    def on_data_read(self, split: str, done: int, total: int) -> None:
        """``done`` of ``total`` images of a split have been read."""

    def on_train_begin(self, context: Context) -> None:
        """The training begins or is resumed; its run folder exists. Sets :attr:`context`."""
        self.context = context

    def on_phase_begin(self, phase: Phase) -> None:
        """A phase begins; not called when it is resumed in the middle."""

    def on_train_batch_end(self, progress: StepProgress) -> None:
        """A step is done."""

    def should_stop(self) -> bool:
        """Asked after each step: whether to save and stop, so that the training can be resumed later."""
        return False

    def on_new_best(self, epoch: EpochEnd) -> None:
        """The learner holds the best weights so far."""

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """An epoch has been trained and evaluated; after :meth:`on_new_best`."""

    def on_phase_end(self) -> None:
        """A phase is finished, or stopped."""

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """The kept network has been evaluated on a split; not called for an autoencoder."""

    def on_train_end(self, metrics: Mapping[str, Any]) -> None:
        """The training has ended; ``metrics`` is the content of ``metrics.json``."""

    def close(self) -> None:
        """Release what is open; always called, also after an error."""
