"""``RUN/report.html``: the report of a run, with a Grad-CAM beside each of the most confident mistakes."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo._version import __version__
from zoo.core.errors import UsageError
from zoo.evaluation.metrics import confusion_matrix
from zoo.images.decode import load
from zoo.training import report
from zoo.training.callbacks.base import Callback, Context
from zoo.training.predict import SplitPredictions

log = logging.getLogger(__name__)


class ReportPage(Callback):
    """Writes the report when the training has ended."""

    def on_train_end(self, metrics: Mapping[str, Any]) -> None:
        """Write it.

        Raises:
            UnavailableError: it cannot be written.
        """
        report.write(report_of(self.context, metrics), self.context.run.folder / "report.html")


def report_of(context: Context, metrics: Mapping[str, Any]) -> report.RunReport:
    """The contents of the report; ``metrics`` is the content of ``metrics.json``."""
    predictions, classes = context.predictions, context.dataset.classes
    found = report.RunReport(
        title=context.run.folder.name,
        command=context.settings.invocation or "",
        when=datetime.date.today().isoformat(),
        facts=_facts(context, metrics),
        plan=metrics.get("plan", ()),
        metrics={split: metrics[split] for split in report.SPLITS if split in metrics},
        history=context.history,
        best_epoch=metrics["best_epoch"] or None,
        phases=_phases(context, metrics.get("phases", ())),
        counts=context.dataset.counts(),
        findings=context.findings,
        failed=context.failed,
    )
    if predictions is None:
        return found
    wrong, right = (
        _gallery(context, predictions, rows[: report.SHOWN]) for rows in (predictions.wrong, predictions.right)
    )
    return replace(
        found,
        classes=classes,
        confusion=confusion_matrix(predictions.predicted, predictions.labels, len(classes)),
        wrong=with_grad_cams(context.run.model, predictions, wrong),
        right=right,
    )


def with_grad_cams(
    model: Path, predictions: SplitPredictions, shown: Sequence[report.GalleryImage]
) -> Sequence[report.GalleryImage]:
    """The most confident mistakes with a Grad-CAM of the predicted class each, if the model allows it.

    An error costs the Grad-CAMs alone: the training is over, and its model is saved.
    """
    if not shown:
        return shown
    rows = predictions.wrong[: len(shown)]
    try:
        from zoo.models import create_model
        from zoo.visualize.explain.methods.gradcam import GradCam
        from zoo.visualize.explain.overlay import overlay
        from zoo.visualize.network.inspected_model import InspectedModel

        pixels = np.stack([one.pixels for one in shown if one.pixels is not None])
        explained = GradCam(InspectedModel(create_model(str(model)))).explain(
            pixels, predictions.predicted[rows], predictions.scores[rows].max(1)
        )
        maps = [None if one.blank else overlay(image, one.map) for image, one in zip(pixels, explained, strict=True)]
    except UsageError as error:
        log.debug("no Grad-CAM of the mistakes: %s", error)
        return shown
    except Exception as error:
        log.warning("report.html has no Grad-CAM of the mistakes: %s: %s", type(error).__name__, error)
        return shown
    return [replace(one, overlay=drawn) for one, drawn in zip(shown, maps, strict=True)]


def _facts(context: Context, metrics: Mapping[str, Any]) -> list[tuple[str, Any]]:
    about = context.metadata({})
    facts: list[tuple[str, Any]] = [
        ("model", context.spec.name),
        ("initial weights", about.get("initial_weights") or "random"),
        ("licence of these weights", about.get("licence")),
        ("dataset", context.settings.dataset),
        ("recipe", context.settings.recipe.name),
        ("seed", context.settings.seed),
        ("images", {split: len(part) for split, part in context.dataset.splits.items()}),
        ("device", metrics["device"]),
        ("seconds", metrics["seconds"]),
        ("zoo", __version__),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _phases(context: Context, names: Sequence[str]) -> list[report.PhaseEpochs]:
    """The first and the last epoch of each phase."""
    found = []
    for number, name in enumerate(names, start=1):
        epochs = [int(row["epoch"]) for row in context.history if row.get("phase") == number]
        if epochs:
            found.append(report.PhaseEpochs(name, epochs[0], epochs[-1]))
    return found


def _gallery(context: Context, predictions: SplitPredictions, rows: np.ndarray) -> list[report.GalleryImage]:
    classes = context.dataset.classes
    return [
        report.GalleryImage(
            predictions.sources[row].path,
            classes[predictions.labels[row]],
            classes[predictions.predicted[row]],
            float(predictions.scores[row].max()),
            pixels=load(predictions.sources[row], context.spec.resize),
            truth_score=float(predictions.scores[row][predictions.labels[row]]),
        )
        for row in rows
    ]
