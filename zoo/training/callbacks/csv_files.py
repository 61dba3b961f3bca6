"""``history.csv``, a row an epoch, and ``predictions.csv``, a row for each image of val and test."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from zoo.core import output
from zoo.training.callbacks.base import Callback, Context, EpochEnd
from zoo.training.predict import SplitPredictions

#: The columns of ``history.csv`` that come first; others follow in the order in which they appear.
COLUMNS = ("epoch", "seconds", "learning_rate", "loss", "top1", "val_loss", "val_top1", "images_per_second")


class HistoryCsv(Callback):
    """Writes ``history.csv`` after each epoch; numbers can be read back exactly."""

    def on_epoch_end(self, epoch: EpochEnd) -> None:
        """Write all rows again.

        Raises:
            UnavailableError: the file cannot be written; the one before is unchanged.
        """
        rows = self.context.history
        seen = dict.fromkeys(key for row in rows for key in row)
        columns = [key for key in COLUMNS if key in seen] + [key for key in seen if key not in COLUMNS]
        with output.opened(self.context.run.history) as stream:
            writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


class PredictionsCsv(Callback):
    """Writes ``predictions.csv``: path, split, label, predicted class and its score."""

    def on_train_begin(self, context: Context) -> None:
        """Begin without rows."""
        super().on_train_begin(context)
        self._rows: list[dict[str, Any]] = []

    def on_evaluate_end(self, predictions: SplitPredictions, metrics: Mapping[str, Any]) -> None:
        """Add the rows of a split."""
        classes = self.context.dataset.classes
        self._rows += [
            {
                "path": source.path,
                "split": predictions.split,
                "label": classes[label],
                "predicted": classes[predicted],
                "score": round(float(scores[predicted]), 6),
            }
            for source, label, predicted, scores in zip(
                predictions.sources, predictions.labels, predictions.predicted, predictions.scores, strict=True
            )
        ]
        with output.opened(self.context.run.folder / "predictions.csv") as stream:
            output.write(self._rows, stream, "csv", columns=list(self._rows[0]))
