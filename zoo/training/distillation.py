"""What a teacher says of the images that a student learns from: computed once, for each image as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from zoo.core.errors import ImageError
from zoo.data.loading.loader import one_hot
from zoo.data.split import Split
from zoo.engines.devices import Device
from zoo.evaluation import label_mapping
from zoo.inference import pipeline
from zoo.inference.classify import Classifier


def targets(
    teacher: str,
    split: Split,
    classes: Sequence[str],
    device: Device,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Labels, and beside them the teacher's probabilities.

    Args:
        teacher: a name, ``NAME:TAG``, or a ``.keras`` file; it knows all of ``classes``, as
            :func:`zoo.evaluation.label_mapping.match` tells, and perhaps others, whose probabilities are left out.
        split: images and labels.
        classes: names of the classes, in their order.
        device: where the teacher is computed.
        progress: called with the images done and those in all.

    Returns:
        float32 (n, 2 classes). For an image that cannot be read the label stands in both halves.

    Raises:
        UsageError: there is no such network, or it does not know a class.
        UnavailableError: its weights are not to be had.
    """
    classifier = Classifier(teacher, device=device.name)
    columns = label_mapping.match(
        classes, classifier.classes, model=f"the teacher {teacher}", advice="take one that knows all of them"
    )
    truth = one_hot(split.labels, len(classes))
    opinions = truth.copy()
    sources = (split.sources[index] for index in range(len(split)))
    for index, (_, output) in enumerate(pipeline.run(sources, classifier.engine, classifier.spec.resize)):
        if not isinstance(output, ImageError):
            chances = np.maximum(classifier.corrected(output)[columns], 1e-7)
            opinions[index] = chances / chances.sum()
        if progress is not None:
            progress(index + 1, len(split))
    return np.concatenate([truth, opinions], axis=1)
