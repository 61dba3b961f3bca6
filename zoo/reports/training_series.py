"""The series of a training's history, from which curves are drawn as PNG and in HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.reports.numbers import is_number, number
from zoo.reports.scales import Scale, value_scale


@dataclass(frozen=True, eq=False)
class Quantity:
    """One quantity over the epochs."""

    title: str
    #: By the line's name, ``"train"``, ``"val"`` or ``"rate"``: float (epochs,), NaN where nothing was recorded.
    lines: Mapping[str, np.ndarray]
    #: How a value is written.
    written: Callable[[Any], str]
    #: Values are from 0 to 1.
    share: bool = False

    @property
    def is_rate(self) -> bool:
        """Whether it is the learning rate, which is drawn lower than the others, from 0."""
        return "rate" in self.lines

    def scale(self, start: float, end: float) -> Scale:
        """The scale of the values, from the coordinate ``start`` of the lowest to ``end``."""
        values = np.concatenate(list(self.lines.values()))
        if self.is_rate:
            return Scale(0.0, 1.08 * (float(np.nanmax(values)) or 1.0), start, end)
        return value_scale(values[~np.isnan(values)].tolist(), start, end, share=self.share)

    def ends(self) -> dict[str, int]:
        """The index of each line's last value."""
        return {name: int(np.flatnonzero(~np.isnan(values))[-1]) for name, values in self.lines.items()}


@dataclass(frozen=True, eq=False)
class TrainingSeries:
    """Epochs, integers (n,), the quantities that have values, and the index of the best epoch."""

    epochs: np.ndarray
    quantities: tuple[Quantity, ...]
    best: int | None


def training_series(rows: Sequence[Mapping[str, Any]], best: int | None = None) -> TrainingSeries:
    """The series of a history.

    Args:
        rows: of ``history.csv``: ``epoch`` (counted from 1 if missing), ``loss``, ``val_loss``, ``top1``, ``val_top1``
            (0-1) and ``learning_rate``, as far as they exist.
        best: the epoch whose weights were kept.
    """
    epochs = np.array([row.get("epoch", index) for index, row in enumerate(rows, start=1)], np.int64)
    quantities = [
        Quantity("loss", _lines(rows, train="loss", val="val_loss"), number),
        Quantity("top-1 accuracy", _lines(rows, train="top1", val="val_top1"), _share, share=True),
        Quantity("learning rate", _lines(rows, rate="learning_rate"), lambda value: f"{value:.3g}"),
    ]
    at = np.flatnonzero(epochs == best)
    return TrainingSeries(epochs, tuple(one for one in quantities if one.lines), int(at[0]) if at.size else None)


def spread(places: Mapping[str, float], gap: float) -> dict[str, float]:
    """What to add to the coordinates of two names so that they are at least ``gap`` apart; 0 for a single one."""
    if len(places) != 2:
        return dict.fromkeys(places, 0.0)
    low, high = sorted(places, key=lambda name: places[name])
    missing = max(0.0, gap - (places[high] - places[low])) / 2
    return {low: -missing, high: missing}


def _lines(rows: Sequence[Mapping[str, Any]], **columns: str) -> dict[str, np.ndarray]:
    """The columns that have at least one finite number."""
    found = {
        name: np.array([value if is_number(value := row.get(column)) else np.nan for row in rows], float)
        for name, column in columns.items()
    }
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def _share(value: float) -> str:
    return f"{100 * value:.4g}\N{NO-BREAK SPACE}%"
