"""Knowledge distillation: a teacher's probabilities for the training images, computed once."""

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
    """Labels and the teacher's probabilities, float32 (n, 2 classes); the label twice if an image cannot be read."""
    classifier = Classifier(teacher, device=device.name)
    columns = label_mapping.match(
        classes, classifier.classes, model=f"the teacher {teacher}", advice="take one that knows all of them"
    )
    labels = one_hot(split.labels, len(classes))
    probabilities = labels.copy()
    sources = (split.sources[index] for index in range(len(split)))
    for index, (_, output) in enumerate(pipeline.run(sources, classifier.engine, classifier.spec.resize)):
        if not isinstance(output, ImageError):
            known = np.maximum(classifier.probabilities(output)[columns], 1e-7)
            probabilities[index] = known / known.sum()
        if progress is not None:
            progress(index + 1, len(split))
    return np.concatenate([labels, probabilities], axis=1)
