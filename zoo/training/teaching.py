"""What a teacher says of the pictures that a student learns from: computed once, for each picture as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from zoo import choice, engines, labels, pipeline
from zoo.data.loader import one_hot
from zoo.data.split import Split
from zoo.devices import Device
from zoo.errors import ImageError, UsageError


def targets(
    teacher: str,
    split: Split,
    classes: Sequence[str],
    device: Device,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Labels, and beside them the teacher's probabilities.

    Args:
        teacher: a name, ``NAME:TAG``, or a ``.keras`` file; it knows all of ``classes``, by name, and perhaps others,
            whose probabilities are left out.
        split: pictures and labels.
        classes: names of the classes, in their order.
        device: where the teacher is computed.
        progress: called with the pictures done and those in all.

    Returns:
        float32 (n, 2 classes). For a picture that cannot be read the label stands in both halves.

    Raises:
        UsageError: there is no such network, or it does not know a class.
        UnavailableError: its weights are not to be had.
    """
    chosen = choice.named(teacher)
    weights = chosen.spec.weights.get(chosen.tag) if chosen.tag else chosen.spec.weight_set()
    known = list(labels.names(weights.labels)) if weights else []
    missing = [name for name in classes if name not in known]
    if missing:
        raise UsageError(
            f"The teacher {teacher} does not know the class '{missing[0]}'; it has to know all {len(classes)} classes "
            "by the names that they have here."
        )
    columns = [known.index(name) for name in classes]
    engine = engines.start(chosen.spec, chosen.weights, device)
    truth = one_hot(split.labels, len(classes))
    opinions = truth.copy()
    sources = (split.sources[index] for index in range(len(split)))
    for index, (_, output) in enumerate(pipeline.run(sources, engine, chosen.spec.resize)):
        if not isinstance(output, ImageError):
            chances = np.maximum(output[columns], 1e-7)
            opinions[index] = chances / chances.sum()
        if progress is not None:
            progress(index + 1, len(split))
    return np.concatenate([truth, opinions], axis=1)
