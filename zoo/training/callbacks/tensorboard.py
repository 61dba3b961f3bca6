"""``RUN/tensorboard``: scalars, weight histograms, first-layer filters, inputs, confusion matrix and mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.loading.loader import Loader
from zoo.reports import plots
from zoo.reports.plots.colour_maps import shades
from zoo.training.callbacks.base import Callback, Context, EpochEnd
from zoo.training.callbacks.event_file import EventFile
from zoo.training.callbacks.plots import SHOWN, confusion_image, mistakes_image
from zoo.training.predict import SplitPredictions

if TYPE_CHECKING:
    import keras

    from zoo.training.phase import Phase
    from zoo.training.settings import Settings


class TensorBoard(Callback):
    """Writes an event file, with ``--tensorboard``."""

    _file: EventFile | None = None

    @classmethod
    def wanted(cls, settings: Settings) -> bool:
        """Only where it was asked for."""
        return settings.tensorboard

    def on_train_begin(self, context: Context) -> None:
        """Open a new event file.

        Raises:
            UnavailableError: TensorBoard is not installed, or the file cannot be written.
        """
        super().on_train_begin(context)
        self._file = EventFile(context.run.folder / "tensorboard")

    def on_phase_begin(self, phase: Phase) -> None:
        """Show augmented images of the first batch, and the filters before training."""
        batches = phase.batches["train"]
        if self._file is None or not isinstance(batches, Loader):
            return
        x, y = next(iter(batches.epoch(0)))
        names = [self.context.dataset.classes[index] for index in y[:SHOWN].argmax(1)]
        self._file.image("inputs", plots.sheet_image(list(x[:SHOWN]), names), phase.after)
        self._filters(phase.learner.network, phase.after)

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Add the row of the history, all weights and the filters."""
        assert self._file is not None
        step = int(epoch.row["epoch"])
        self._file.scalars({key: value for key, value in epoch.row.items() if key != "epoch"}, step)
        for layer in epoch.learner.network.layers:
            for weight in layer.trainable_weights:
                self._file.histogram(f"{layer.name}/{weight.name}", np.asarray(weight), step)
        self._filters(epoch.learner.network, step)

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """Add the confusion matrix and the mistakes."""
        assert self._file is not None
        self._file.image("confusion", confusion_image(predictions, self.context), 0)
        if len(predictions.wrong):
            self._file.image("mistakes", mistakes_image(predictions, self.context), 0)

    def close(self) -> None:
        """Close the event file."""
        if self._file is not None:
            self._file.close()

    def _filters(self, network: keras.Model, step: int) -> None:
        """The kernels of the first convolution, if its input is an image; 0 is grey."""
        assert self._file is not None
        for layer in network.layers:
            kernel = getattr(layer, "kernel", None)
            if kernel is not None and len(kernel.shape) == 4:
                if kernel.shape[2] in (1, 3):
                    weights = np.nan_to_num(np.asarray(kernel, "float32"))
                    weights /= np.abs(weights).max(axis=(0, 1, 2)) + 1e-12
                    tiles = list(np.moveaxis(shades(weights), 3, 0))
                    self._file.image("filters", plots.sheet_image(tiles, list(map(str, range(len(tiles))))), step)
                return
