"""Plots of a run: ``curves.png``, ``confusion.png`` and ``mistakes.png``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.evaluation.metrics import confusion_matrix
from zoo.images.decode import load
from zoo.reports import plots
from zoo.training.callbacks.base import Callback, Context, EpochEnd
from zoo.training.predict import SplitPredictions

#: Mistakes that are shown.
SHOWN = 35


class TrainingCurves(Callback):
    """Loss and accuracy over the epochs."""

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Draw the curves so far, if it is due."""
        if epoch.due:
            self._draw(epoch.best_epoch)

    def on_train_end(self, metrics: Mapping[str, Any]) -> None:
        """Draw all of the curves."""
        self._draw(metrics["best_epoch"])

    def _draw(self, best: int) -> None:
        folder = self.context.run.folder
        drawn = plots.curves_image(self.context.history, title=folder.name, best=best)
        plots.write_png(drawn, folder / "curves.png")


class ConfusionMatrix(Callback):
    """The confusion matrix of the split that is evaluated last."""

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """Draw it."""
        plots.write_png(confusion_image(predictions, self.context), self.context.run.folder / "confusion.png")


class Mistakes(Callback):
    """The most confident mistakes on one sheet."""

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """Draw the sheet, if there are mistakes."""
        if len(predictions.wrong):
            plots.write_png(mistakes_image(predictions, self.context), self.context.run.folder / "mistakes.png")


def confusion_image(predictions: SplitPredictions, context: Context) -> np.ndarray:
    """The confusion matrix, uint8 RGB (height, width, 3)."""
    classes = list(context.dataset.classes)
    matrix = confusion_matrix(predictions.predicted, predictions.labels, len(classes))
    return plots.confusion_image(matrix, classes, title=f"{context.run.folder.name}, {predictions.split}")


def mistakes_image(predictions: SplitPredictions, context: Context) -> np.ndarray:
    """The most confident mistakes as the network sees them, uint8 RGB (height, width, 3)."""
    classes = context.dataset.classes
    images, captions = [], []
    for index in predictions.wrong[:SHOWN]:
        label, predicted = predictions.labels[index], predictions.predicted[index]
        images.append(load(predictions.sources[index], context.spec.resize))
        captions.append(plots.mistake_caption(classes[label], classes[predicted], predictions.scores[index, predicted]))
    return plots.sheet_image(images, captions, title=f"{predictions.split}: the most confident mistakes")
