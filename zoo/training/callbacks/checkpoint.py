"""Saving while training: ``model.keras``, the best network so far, and ``checkpoint.npz`` to resume from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zoo.training import checkpoint
from zoo.training.callbacks.base import Callback, EpochEnd

if TYPE_CHECKING:
    import numpy as np


class Checkpoint(Callback):
    """Writes when an epoch is due, and at the end of a phase. Until then the best weights are kept in memory."""

    def __init__(self) -> None:
        """Nothing is to be written yet."""
        self._best: tuple[Mapping[str, float], Sequence[np.ndarray]] | None = None

    def on_new_best(self, epoch: EpochEnd) -> None:
        """Write the network if it is due, else remember its weights."""
        self._learner = epoch.learner
        self._best = None
        if epoch.due:
            self._write_model(epoch.row)
        else:
            self._best = epoch.row, epoch.learner.snapshot()

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Write a checkpoint if it is due."""
        if epoch.due:
            self._save()

    def on_phase_end(self) -> None:
        """Write a checkpoint in any case."""
        self._save()

    def _save(self) -> None:
        if self._best is not None:
            row, weights = self._best
            with self._learner.temporary_weights(weights):
                self._write_model(row)
            self._best = None
        run = self.context.run
        checkpoint.save(run.checkpoint, *self.context.state(), command=run.command)

    def _write_model(self, row: Mapping[str, float]) -> None:
        with self._learner.inference_model() as network:
            metadata = self.context.metadata({"val": {"top1": row.get("val_top1")}})
            self.context.run.write_model(network, metadata)
