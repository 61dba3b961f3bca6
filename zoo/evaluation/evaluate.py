"""Evaluate a model on images with known classes, and fit its temperature on others."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from zoo.core.errors import UsageError
from zoo.core.progress import Progress
from zoo.data.dataset import EvaluationSet
from zoo.data.split import PARTS
from zoo.engines.tta import AUGMENTATIONS, Augmentation
from zoo.evaluation import calibration, label_mapping
from zoo.evaluation.result import Calibration, Evaluation
from zoo.evaluation.scores import Scored, outputs, read_dataset, score, warn_of_training
from zoo.inference.classify import Classifier

log = logging.getLogger(__name__)


def evaluate(
    model: str | os.PathLike[str] | Classifier,
    dataset: str | os.PathLike[str],
    *,
    split: str | None = None,
    calibrate_on: str | None = None,
    tta: Augmentation | None = None,
    labels: Mapping[str, str] | str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **how: Any,
) -> Evaluation:
    """Evaluate a model on images with known classes.

    Args:
        model: a name, ``NAME:TAG``, a ``.keras`` file, or a :class:`~zoo.inference.classify.Classifier`.
        dataset: what :func:`zoo.data.dataset.read_for_evaluation` takes.
        split: the part to evaluate on; if omitted, the first that there is of ``"test"``, ``"val"`` and ``"train"``,
            or all of a dataset without parts.
        calibrate_on: another part, or another dataset, on which a temperature is fitted and thresholds are chosen.
        tta: test-time augmentation, ``"mirror"`` or ``"ten-crop"``: the mean over several views of each image.
        labels: the model's label of each class that it does not know by name, as a mapping or a table.
        progress: called with the images done and their total.
        **how: further arguments of :class:`~zoo.inference.classify.Classifier`: ``device``, ``engine``,
            ``batch_size``, ``offline``.

    Raises:
        UsageError: unknown name, dataset, part or class; or images to calibrate on that are also evaluated.
        UnavailableError: weights or device are unavailable, or the model does not classify.
    """
    if tta is not None and tta not in AUGMENTATIONS:
        raise UsageError(f"Expected one of {', '.join(AUGMENTATIONS)} for --tta. Received: {tta!r}")
    if labels is not None and not isinstance(labels, Mapping):
        labels = label_mapping.read_mapping(labels)
    data = read_dataset(dataset, split)
    fitting = _to_calibrate(data, calibrate_on) if calibrate_on else None
    classifier = model if isinstance(model, Classifier) else Classifier(os.fspath(model), **how)
    warn_of_training(classifier, data)
    names, truth = outputs(classifier, data, labels)
    done = 0
    total = len(data) + (len(fitting) if fitting else 0)

    classifier.at_least = lambda count: total >= count

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    started = time.perf_counter()
    scored = score(classifier, data, truth, tta, step)
    seconds = time.perf_counter() - started
    calibrated = None
    if calibrate_on and fitting:
        others = score(classifier, fitting, outputs(classifier, fitting, labels)[1], tta, step)
        calibrated = _calibrate(calibrate_on, others)
    return Evaluation(
        classifier.spec.name,
        classifier.spec.file,
        data.path,
        data.part,
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


def check_storable(classifier: Classifier, tta: Augmentation | None) -> None:
    """Refuse a temperature that cannot be stored, before anything is computed.

    Raises:
        UsageError: the model is not in a file, or is evaluated with test-time augmentation.
    """
    if not classifier.spec.file:
        raise UsageError(
            f"{classifier.spec.name} is not in a .keras file, where a temperature is stored; omit --store-temperature."
        )
    if tta is not None:
        raise UsageError(
            f"A temperature fitted with --tta {tta} is wrong for the other commands, which take a single view; omit "
            "--tta or --store-temperature."
        )


def _to_calibrate(evaluated: EvaluationSet, on: str) -> EvaluationSet:
    """The images to calibrate on, none of which is evaluated."""
    data = read_dataset(evaluated.path, on) if on in PARTS else read_dataset(on, None)
    theirs = {os.path.abspath(source.path) for source in data.sources}
    both = sum(os.path.abspath(source.path) in theirs for source in evaluated.sources)
    if both:
        raise UsageError(
            f"{both} of the {len(evaluated)} images to evaluate on are also those to calibrate on ({on}); a fit says "
            "nothing about its own images, so choose others with --calibrate-on."
        )
    return data


def _calibrate(on: str, scored: Scored) -> Calibration:
    """Fit the temperature; if there is no best one, log it and continue."""
    try:
        if not len(scored.labels):
            raise UsageError(f"No temperature can be fitted, because no image of {on} can be read.")
        return Calibration(on, scored, calibration.fit_temperature(scored.scores, scored.labels))
    except UsageError as error:
        log.warning("%s", error)
        return Calibration(on, scored, None, str(error))
