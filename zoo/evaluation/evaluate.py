"""Judging a network by images with known classes, and fitting on others what makes its probabilities right."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from zoo.core.errors import UsageError
from zoo.data.dataset import EvaluationSet
from zoo.data.split import PARTS
from zoo.evaluation import calibration, label_mapping
from zoo.evaluation.result import Calibration, Evaluation
from zoo.evaluation.scores import VIEWS, Scored, Views, outputs, read_dataset, score, warn_of_training
from zoo.inference.classify import Classifier

log = logging.getLogger(__name__)

#: Called with the images done and those in all.
Progress = Callable[[int, int], None]


def evaluate(
    model: str | os.PathLike[str] | Classifier,
    dataset: str | os.PathLike[str],
    *,
    split: str | None = None,
    calibrate_on: str | None = None,
    tta: Views | None = None,
    labels: Mapping[str, str] | str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> Evaluation:
    """Judge a network by images with known classes.

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, or a :class:`~zoo.inference.classify.Classifier`.
        dataset: what :func:`zoo.data.dataset.read_for_evaluation` takes.
        split: the part to judge by; the first that there is of ``"test"``, ``"val"`` and ``"train"`` without, all of a
            dataset without parts.
        calibrate_on: another part, or another dataset, on which a temperature is fitted and thresholds are chosen.
        tta: ``"mirror"`` or ``"ten-crop"``: the mean over several views of each image.
        labels: for classes that are called otherwise than the network's, folder to label, or a table that says so.
        progress: called with the images done and those in all.
        **how: what else :class:`~zoo.inference.classify.Classifier` takes: ``device``, ``engine``, ``batch_size``, ``offline``.

    Raises:
        UsageError: unknown name, dataset, part or class; or images to calibrate on that are also judged.
        UnavailableError: weights or device are not to be had, or the network does not classify.
    """
    if tta is not None and tta not in VIEWS:
        raise UsageError(f"--tta is {' or '.join(VIEWS)}. Received: {tta}")
    if labels is not None and not isinstance(labels, Mapping):
        labels = label_mapping.read_mapping(labels)
    judged = read_dataset(dataset, split)
    fitting = _to_calibrate(judged, calibrate_on) if calibrate_on else None
    classifier = model if isinstance(model, Classifier) else Classifier(os.fspath(model), **how)
    warn_of_training(classifier, judged)
    names, truth = outputs(classifier, judged, labels)
    done = 0
    total = len(judged) + (len(fitting) if fitting else 0)

    classifier.many = lambda count: total >= count

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    started = time.perf_counter()
    scored = score(classifier, judged, truth, tta, step)
    seconds = time.perf_counter() - started
    calibrated = None
    if calibrate_on and fitting:
        others = score(classifier, fitting, outputs(classifier, fitting, labels)[1], tta, step)
        calibrated = _calibrate(calibrate_on, others)
    return Evaluation(
        classifier.spec.name,
        classifier.spec.file,
        judged.path,
        judged.part,
        names,
        scored,
        classifier.spec.resize,
        classifier.temperature,
        tta,
        classifier.engine.device,
        classifier.engine.name,
        seconds,
        calibrated,
    )


def check_storable(classifier: Classifier, tta: Views | None) -> None:
    """Refuse, before anything is computed, a temperature that could not be stored.

    Raises:
        UsageError: the network is not in a file, or is judged by more views than ``zoo classify`` takes.
    """
    if not classifier.spec.file:
        raise UsageError(
            f"{classifier.spec.name} is not in a .keras file, where a temperature is stored; "
            "leave --store-temperature away."
        )
    if tta is not None:
        raise UsageError(
            f"A temperature that is fitted with --tta {tta} is not right for single views, which is what every other "
            "command takes; leave one of --tta and --store-temperature away."
        )


def _to_calibrate(judged: EvaluationSet, on: str) -> EvaluationSet:
    """The images to calibrate on, none of which is judged."""
    data = read_dataset(judged.path, on) if on in PARTS else read_dataset(on, None)
    theirs = {os.path.abspath(source.path) for source in data.sources}
    both = sum(os.path.abspath(source.path) in theirs for source in judged.sources)
    if both:
        raise UsageError(
            f"{both} of the {len(judged)} images that are judged are also those to calibrate on ({on}); "
            "what is fitted on images says nothing about them, so name others by --calibrate-on."
        )
    return data


def _calibrate(on: str, scored: Scored) -> Calibration:
    """Fit the temperature; where none is best, say so and go on."""
    try:
        if not len(scored.labels):
            raise UsageError(f"No temperature can be fitted, because none of the images of {on} can be read.")
        return Calibration(on, scored, calibration.fit_temperature(scored.scores, scored.labels))
    except UsageError as error:
        log.warning("%s", error)
        return Calibration(on, scored, None, str(error))
