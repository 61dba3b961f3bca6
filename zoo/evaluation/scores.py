"""A model's scores for images with known classes, and which output each class is."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zoo.core.errors import ImageError
from zoo.data.dataset import EvaluationSet, read_for_evaluation
from zoo.engines.tta import Augmentation, augment
from zoo.evaluation import label_mapping
from zoo.images.source import Source
from zoo.inference import pipeline
from zoo.inference.classify import Classifier
from zoo.inference.temperature import softmax
from zoo.pretrained import keras_file

log = logging.getLogger(__name__)

#: How far rounding may carry a probability out of 0-1.
_SLACK = 1e-3


@dataclass(frozen=True, eq=False)
class Scored:
    """A model's scores for images.

    ``scores`` are float32 (n, classes), ``labels`` int64 (n,), of the n images that could be read; ``failed`` has path
    and reason of the others. ``logits``: the model ends without a softmax, which was applied.
    """

    scores: np.ndarray
    labels: np.ndarray
    sources: tuple[Source, ...]
    failed: tuple[tuple[str, str], ...]
    logits: bool = False


def read_dataset(path: str | os.PathLike[str], part: str | None) -> EvaluationSet:
    """Read a dataset; which part was chosen and what is not used is logged."""
    found = read_for_evaluation(path, part)
    if part is None and len(found.parts) > 1:
        log.info("%s has the parts %s; '%s' is evaluated", found.path, ", ".join(found.parts), found.part)
    if found.skipped:
        first, why = found.skipped[0]
        more = f", and {len(found.skipped) - 1} more" if len(found.skipped) > 1 else ""
        log.info("not used: %s (%s)%s", first, why, more)
    return found


def warn_of_training(classifier: Classifier, data: EvaluationSet) -> None:
    """Warn if the model was probably trained on these images, by the name of their folder."""
    if not classifier.spec.file or data.part not in (None, "train"):
        return
    names = {os.path.basename(os.path.realpath(place)) for place in (data.path, data.root)}
    if keras_file.read_metadata(classifier.spec.file).get("trained_on") in names:
        log.warning(
            "%s was trained on images of %s, so this says little about new ones; --dataset with the split.csv of its "
            "run evaluates on those that it was not trained on",
            classifier.spec.name,
            data.root,
        )


def outputs(
    classifier: Classifier, data: EvaluationSet, labels: Mapping[str, str] | None
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the model's outputs, and the output of each class of the dataset, -1 for a class without images.

    Raises:
        UsageError: the model does not know a class.
    """
    model = classifier.spec.name
    truth = np.full(len(data.classes), -1, np.int64)
    if classifier.classes:
        used = np.unique(data.labels)
        wanted = [data.classes[index] for index in used]
        truth[used] = label_mapping.match(wanted, classifier.classes, mapping=labels, dataset=data.path, model=model)
        return label_mapping.unique_names(classifier.classes), truth
    height, width = classifier.spec.input_size
    (answer,) = classifier.engine.run([np.zeros((1, height, width, 3), np.uint8)])
    count = len(classifier.probabilities(answer[0]))
    truth = label_mapping.by_order(data.classes, count, dataset=data.path, model=model)
    names = [str(index) for index in range(count)]
    for index, name in zip(truth, data.classes, strict=True):
        names[index] = name
    log.warning(
        "the outputs of %s have no names; they are assumed to be %s, in this order",
        model,
        ", ".join(names[:5]) + ", …" * (len(names) > 5),
    )
    return tuple(names), truth


def score(
    classifier: Classifier, data: EvaluationSet, truth: np.ndarray, tta: Augmentation | None, step: Callable[[], None]
) -> Scored:
    """Run the model on all images."""
    spec = classifier.spec
    engine, resize = classifier.engine, spec.resize
    if tta is not None:
        engine, resize = augment(engine, resize, tta, mirrored=spec.mirror)
        if spec.mirror and tta == "mirror":
            log.info("%s averages over mirror images anyway", spec.name)
    scores: np.ndarray | None = None
    kept: list[int] = []
    sources: list[Source] = []
    failed: list[tuple[str, str]] = []
    for index, (source, output) in enumerate(pipeline.run(data.sources, engine, resize)):
        if isinstance(output, ImageError):
            failed.append((source.path, str(output)))
        else:
            row = classifier.probabilities(output)
            if scores is None:
                scores = np.empty((len(data), len(row)), np.float32)
            scores[len(kept)] = row
            kept.append(index)
            sources.append(source)
        step()
    filled = np.zeros((0, max(1, len(classifier.classes))), np.float32) if scores is None else scores[: len(kept)]
    labels = truth[data.labels[np.array(kept, np.int64)]]
    logits = bool(filled.size and (filled.min() < -_SLACK or filled.max() > 1 + _SLACK))
    if logits:
        log.warning("%s gives logits, not probabilities; a softmax is applied", spec.name)
    return Scored(softmax(filled) if logits else filled, labels, tuple(sources), tuple(failed), logits)
