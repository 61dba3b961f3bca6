"""Compare models on the same images: accuracy, speed, size, and whether the difference is significant."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import engines
from zoo.core.errors import UsageError
from zoo.engines import devices
from zoo.evaluation import label_mapping, metrics
from zoo.evaluation import measure as measuring
from zoo.evaluation.measure import Measured, Request
from zoo.evaluation.scores import outputs, read_dataset, warn_of_training
from zoo.inference.classify import Classifier
from zoo.pretrained.weights import Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """One model. Shares are 0-1, sizes in millions of bytes; ``None`` if unknown.

    ``agreement`` is the share of images with the same answer as the best model, ``p`` the p-value of the difference
    from it (:func:`zoo.evaluation.metrics.mcnemar`); both are ``None`` for the best one.
    """

    model: str
    n: int
    top1: float | None
    top1_interval: tuple[float, float]
    top5: float | None
    latency_ms: float
    images_per_second: float
    size_mb: float | None
    memory_mb: float | None
    agreement: float | None
    p: float | None
    device: str
    engine: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models on the same ``n`` images: on how many only one of them is right; the rest as in :class:`Row`."""

    one: str
    other: str
    n: int
    agreement: float | None
    only_one: int
    only_other: int
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models, the best first, and each pair of them; ``failed`` has path and reason of unreadable images."""

    dataset: str
    split: str | None
    n: int
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    failed: tuple[tuple[str, str], ...]

    def summary(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "n": self.n,
            "models": [{**asdict(row), "top1_interval": list(row.top1_interval)} for row in self.rows],
            "pairs": [asdict(pair) for pair in self.pairs],
            "failed": [{"path": path, "error": error} for path, error in self.failed],
        }


def compare(
    models: Sequence[str | os.PathLike[str]],
    dataset: str | os.PathLike[str],
    *,
    split: str | None = None,
    labels: Mapping[str, str] | str | os.PathLike[str] | None = None,
    device: str = "auto",
    engine: str = "auto",
    batch_size: int | None = None,
    offline: bool | None = None,
    fetched: Progress | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Measure models one after the other, each in a process of its own.

    Args:
        models: at least two names, ``NAME:TAG`` or ``.keras`` files.
        dataset: as for :func:`zoo.evaluate`, like ``split`` and ``labels``.
        split: the part to evaluate on.
        labels: labels of classes that a model does not know by name.
        device: as for :class:`~zoo.inference.classify.Classifier`, like the following.
        engine: the engine.
        batch_size: images in a batch.
        offline: download nothing.
        fetched: the progress of downloads.
        progress: called with a model, the images done and their total.

    Raises:
        UsageError: fewer than two models, or one twice; or as :func:`zoo.evaluate`.
        UnavailableError: weights or device are unavailable, or a process died, e.g. because memory ran out.
    """
    asked = [os.fspath(model) for model in models]
    if len(set(asked)) < max(2, len(asked)):
        raise UsageError(f"Expected at least two different models. Received: {', '.join(asked) or 'none'}")
    if labels is not None and not isinstance(labels, Mapping):
        labels = label_mapping.read_mapping(labels)
    data = read_dataset(dataset, split)
    classifiers = []
    for name in asked:
        classifier = Classifier(
            name, device=device, engine=engine, batch_size=batch_size, offline=offline, progress=fetched
        )
        # Errors are raised before the first model runs; one without class names is run to count its outputs.
        if classifier.classes:
            outputs(classifier, data, labels)
        warn_of_training(classifier, data)
        classifiers.append(classifier)
    for classifier in classifiers:
        # Not part of what is measured.
        engines.compile_ahead(classifier.spec, classifier.choice.weights, devices.select(device), engine=engine)
    measured = []
    for name in asked:
        request = Request(name, data.path, data.part or "all", labels, device, engine, batch_size)
        log.info("measuring %s", name)

        def tell(count: int, name: str = name) -> None:
            if progress:
                progress(name, count, len(data))

        measured.append(measuring.measure(request, tell))
    rows, pairs = _rows(asked, measured, [_size(classifier) for classifier in classifiers])
    failed = tuple((path, error) for path, error in measured[0].failed)
    return Comparison(data.path, data.part, len(data) - len(failed), rows, pairs, failed)


def _size(classifier: Classifier) -> float | None:
    """Megabytes of the weights file."""
    weights = classifier.choice.weights
    file = weights.path if weights else classifier.spec.file
    return round(Path(file).stat().st_size / 1e6, 2) if file else None


def _rows(
    names: Sequence[str], measured: Sequence[Measured], sizes: Sequence[float | None]
) -> tuple[tuple[Row, ...], tuple[Pair, ...]]:
    """The table: by accuracy, and of equal ones the fastest first."""
    ranks = [np.array(one.ranks, np.int64) for one in measured]
    # Unreadable images have the rank 0.
    read = [rank[rank > 0] for rank in ranks]
    top1 = [metrics.share_in_top(rank, 1) for rank in read]
    order = sorted(range(len(names)), key=lambda index: (-(top1[index] or 0.0), measured[index].latency_ms))
    pairs = {(one, other): _pair(names, measured, ranks, one, other) for one, other in itertools.combinations(order, 2)}
    rows = []
    for index in order:
        found, rank = measured[index], read[index]
        best = pairs.get((order[0], index))
        rows.append(
            Row(
                model=names[index],
                n=len(rank),
                top1=top1[index],
                top1_interval=metrics.wilson_interval(int((rank == 1).sum()), len(rank)),
                top5=metrics.share_in_top(rank, 5) if found.classes >= metrics.CLASSES_FOR_TOP5 else None,
                latency_ms=found.latency_ms,
                images_per_second=found.images_per_second,
                size_mb=sizes[index],
                memory_mb=found.memory_mb,
                agreement=best.agreement if best else None,
                p=best.p if best else None,
                device=found.device,
                engine=found.engine,
            )
        )
    return tuple(rows), tuple(pairs.values())


def _pair(
    names: Sequence[str], measured: Sequence[Measured], ranks: Sequence[np.ndarray], one: int, other: int
) -> Pair:
    read = (ranks[one] > 0) & (ranks[other] > 0)
    n = int(read.sum())
    same = np.array(measured[one].answers)[read] == np.array(measured[other].answers)[read]
    right_one, right_other = ranks[one][read] == 1, ranks[other][read] == 1
    only_one, only_other = int((right_one & ~right_other).sum()), int((right_other & ~right_one).sum())
    agreement = float(same.mean()) if n else None
    return Pair(names[one], names[other], n, agreement, only_one, only_other, metrics.mcnemar(only_one, only_other))
