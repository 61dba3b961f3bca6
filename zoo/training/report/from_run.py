"""The page of a run: everything that is known of it, in ``report.html``."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo._version import __version__
from zoo.core.errors import UsageError
from zoo.evaluation import metrics
from zoo.images.decode import load
from zoo.reports import html
from zoo.training import results
from zoo.training.predict import Judgement

if TYPE_CHECKING:
    from zoo.training.job import Job

log = logging.getLogger(__name__)

#: Images of each kind in the gallery.
SHOWN = 24


def write(job: Job, numbers: Mapping[str, Any]) -> None:
    """Write the page of a training that has ended.

    Args:
        job: the training.
        numbers: what ``metrics.json`` holds.

    Raises:
        UnavailableError: it cannot be written.
    """
    judgement, classes = job.images.judgement, job.dataset.classes
    confusion = None
    wrong: list[html.Shown] = []
    right: list[html.Shown] = []
    if judgement is not None:
        confusion = metrics.confusion(judgement.predicted, judgement.labels, len(classes))
        wrong, right = (_shown(job, judgement, rows[:SHOWN]) for rows in (judgement.wrong, judgement.right))
        wrong = _with_overlays(job, judgement, wrong)
    page = html.RunReport(
        title=job.run.folder.name,
        command=job.settings.invocation or "",
        when=datetime.date.today().isoformat(),
        facts=_facts(job, numbers),
        plan=numbers.get("plan", ()),
        metrics={split: numbers[split] for split in ("train", "val", "test") if split in numbers},
        history=job.history.rows,
        best_epoch=numbers["best_epoch"] or None,
        phases=_phases(job, numbers.get("phases", ())),
        classes=classes if confusion is not None else (),
        confusion=confusion,
        counts=job.dataset.counts(),
        findings=[html.Finding(found.severity, found.kind, found.text, found.paths) for found in job.findings],
        failed=job.failed,
        wrong=wrong,
        right=right,
    )
    html.write(page, job.run.folder / "report.html")


def _facts(job: Job, numbers: Mapping[str, Any]) -> list[tuple[str, Any]]:
    about = job.metadata({})
    facts: list[tuple[str, Any]] = [
        ("network", job.spec.name),
        ("weights to begin with", about.get("initial_weights") or "random"),
        ("licence of these weights", about.get("licence")),
        ("dataset", job.settings.dataset),
        ("recipe", job.settings.recipe.name),
        ("seed", job.settings.seed),
        ("pictures", {split: len(part) for split, part in job.dataset.splits.items()}),
        ("device", numbers["device"]),
        ("seconds", numbers["seconds"]),
        ("zoo", __version__),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _phases(job: Job, names: Any) -> list[html.Phase]:
    """Where each phase begins and ends."""
    found = []
    for number, name in enumerate(names, start=1):
        epochs = [int(row["epoch"]) for row in job.history.rows if row.get("phase") == number]
        if epochs:
            found.append(html.Phase(name, epochs[0], epochs[-1]))
    return found


def _shown(job: Job, judgement: Judgement, rows: np.ndarray) -> list[html.Shown]:
    classes = job.dataset.classes
    return [
        html.Shown(
            judgement.sources[row].path,
            classes[judgement.labels[row]],
            classes[judgement.predicted[row]],
            float(judgement.scores[row].max()),
            pixels=load(judgement.sources[row], job.spec.resize),
            truth_score=float(judgement.scores[row][judgement.labels[row]]),
        )
        for row in rows
    ]


def _with_overlays(job: Job, judgement: Judgement, shown: list[html.Shown]) -> list[html.Shown]:
    """Mistakes with a Grad-CAM beside each: where the network saw the class that it named.

    A network without a map has none, and what goes wrong here costs the overlays alone.
    """
    if not shown:
        return shown
    rows = judgement.wrong[: len(shown)]
    try:
        from zoo.visualize.explain.methods.gradcam import GradCam
        from zoo.visualize.explain.overlay import overlay
        from zoo.visualize.network.subject import Subject

        pixels = np.stack([one.pixels for one in shown if one.pixels is not None])
        seen = GradCam(Subject(results.load(job.run))).explain(
            pixels, judgement.predicted[rows], judgement.scores[rows].max(1)
        )
        maps = [None if one.blank else overlay(image, one.map) for image, one in zip(pixels, seen, strict=True)]
    except UsageError as error:
        log.debug("no Grad-CAM of the mistakes: %s", error)
        return shown
    except Exception as error:
        # The training is over and its network is saved: that is not lost over an image.
        log.warning("report.html has no Grad-CAM of the mistakes: %s: %s", type(error).__name__, error)
        return shown
    return [replace(one, overlay=drawn) for one, drawn in zip(shown, maps, strict=True)]
