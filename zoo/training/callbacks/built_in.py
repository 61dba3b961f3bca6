"""The callbacks that every training has. A new one is a file here and a row of the table."""

from __future__ import annotations

from zoo.training.callbacks.base import Callback
from zoo.training.callbacks.checkpoint import Checkpoint
from zoo.training.callbacks.csv_files import HistoryCsv, PredictionsCsv
from zoo.training.callbacks.plots import ConfusionMatrix, Mistakes, TrainingCurves
from zoo.training.callbacks.report_page import ReportPage
from zoo.training.callbacks.tensorboard import TensorBoard

#: In the order in which they are called; the callbacks of a user come after them.
BUILT_IN: tuple[type[Callback], ...] = (
    Checkpoint,
    HistoryCsv,
    PredictionsCsv,
    TrainingCurves,
    ConfusionMatrix,
    Mistakes,
    TensorBoard,
    ReportPage,
)
