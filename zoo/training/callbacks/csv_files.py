"""``history.csv``, a row an epoch, and ``predictions.csv``, a row for each image of val and test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.core import output
from zoo.training.callbacks.base import Callback, Context, EpochEnd
from zoo.training.predict import SplitPredictions


class HistoryCsv(Callback):
    """Writes ``history.csv`` after each epoch."""

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Write all rows again."""
        self.context.history.write(self.context.run.history)


class PredictionsCsv(Callback):
    """Writes ``predictions.csv``: path, split, label, predicted class and its score."""

    def on_train_begin(self, context: Context) -> None:
        """Begin without rows."""
        super().on_train_begin(context)
        self._rows: list[dict[str, Any]] = []

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """Add the rows of a split."""
        classes = self.context.dataset.classes
        for source, label, predicted, scores in zip(
            predictions.sources, predictions.labels, predictions.predicted, predictions.scores, strict=True
        ):
            self._rows.append(
                {
                    "path": source.path,
                    "split": predictions.split,
                    "label": classes[label],
                    "predicted": classes[predicted],
                    "score": round(float(scores[predicted]), 6),
                }
            )
        with output.opened(self.context.run.folder / "predictions.csv") as stream:
            output.write(self._rows, stream, "csv", columns=list(self._rows[0]))
