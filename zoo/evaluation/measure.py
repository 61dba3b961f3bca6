"""Measure one model in a process of its own, for its memory.

The child sends the number of images done, now and then, and last a :class:`Measured`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo import engines
from zoo.core.errors import ImageError
from zoo.data.dataset import read_for_evaluation
from zoo.engines import child_process, devices
from zoo.evaluation.metrics import true_class_ranks
from zoo.evaluation.scores import outputs
from zoo.inference import pipeline
from zoo.inference.classify import Classifier

#: The maximum of single images that are timed, and of seconds.
REPEATS, SECONDS = 50, 3.0
#: Single images before those, which fill caches.
WARM_UP = 3
#: Seconds between two reports of progress.
_INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """What is measured: a model, where it runs, and on which part (``"all"`` for all) of which dataset."""

    model: str
    dataset: str
    part: str
    labels: Mapping[str, str] | None = None
    device: str = "auto"
    engine: str = "auto"
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of one model.

    ``ranks`` has for each image the rank of the true class, from 1, and 0 if it could not be read; ``answers`` the
    predicted class, by the dataset's name if it has one. ``memory_mb`` is the peak of the process; ``latency_ms`` the
    median of single images from pixels to probabilities; ``images_per_second`` includes reading the files.
    """

    ranks: list[int]
    answers: list[str]
    failed: list[tuple[str, str]]
    classes: int
    latency_ms: float
    images_per_second: float
    memory_mb: float | None
    device: str
    engine: str


def measure(request: Request, done: Callable[[int], None]) -> Measured:
    """Measure a model in a new process.

    Args:
        request: what is measured.
        done: called with the number of images done.

    Raises:
        UsageError: as :func:`zoo.evaluate`.
        UnavailableError: likewise; or the process died, e.g. because memory ran out.
    """
    found: list[Measured] = []

    def receive(message: int | dict[str, Any]) -> None:
        if isinstance(message, int):
            done(message)
        else:
            found.append(Measured(**message))

    child_process.run_module(
        "zoo.evaluation.measure",
        asdict(request),
        failure=f"{request.model} cannot be measured",
        remedy="if memory ran out, free some or use a smaller --batch-size",
        environment={"TF_CPP_MIN_LOG_LEVEL": "3"},
        receive=receive,
    )
    return found[0]


def _measure(request: Request, done: Callable[[int], None]) -> Measured:
    """Measure in this process, the child."""
    data = read_for_evaluation(request.dataset, request.part)
    # The parent has downloaded the weights.
    classifier = Classifier(
        request.model, device=request.device, engine=request.engine, batch_size=request.batch_size, offline=True
    )
    names, truth = outputs(classifier, data, request.labels)
    known = {int(index): name for index, name in reversed(list(zip(truth, data.classes, strict=True)))}
    engine, resize = classifier.engine, classifier.spec.resize
    blank = np.zeros((1, resize.height, resize.width, 3), np.uint8)
    # What happens once, such as Keras's tracing, is not timed.
    list(engine.run([blank]))
    ranks: list[int] = []
    answers: list[str] = []
    failed: list[tuple[str, str]] = []
    started = said = time.perf_counter()
    for (source, output), label in zip(pipeline.run(data.sources, engine, resize), data.labels, strict=True):
        if isinstance(output, ImageError):
            failed.append((source.path, str(output)))
            ranks.append(0)
            answers.append("")
        else:
            scores = classifier.probabilities(output)
            ranks.append(int(true_class_ranks(scores[None], truth[label : label + 1])[0]))
            best = int(scores.argmax())
            answers.append(known.get(best, names[best]))
        if time.perf_counter() - said > _INTERVAL:
            said = time.perf_counter()
            done(len(ranks))
    seconds = time.perf_counter() - started
    memory = peak_memory()
    return Measured(
        ranks,
        answers,
        failed,
        len(names),
        round(_latency(classifier, request, blank), 3),
        round(len(ranks) / seconds, 2),
        memory,
        engine.device,
        engine.name,
    )


def _latency(classifier: Classifier, request: Request, blank: np.ndarray) -> float:
    """The median milliseconds of a single image."""
    engine = classifier.engine
    if engines.ENGINES[engine.name].latency_mode:
        # Restarted for single images, as for 'zoo classify photo.jpg'.
        engine = engines.start(
            classifier.spec,
            classifier.choice.weights,
            devices.select(request.device),
            engine=engine.name,
            single=True,
        )
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < WARM_UP + 1 or (len(times) < REPEATS and time.perf_counter() - begun < SECONDS):
        started = time.perf_counter()
        list(engine.run([blank]))
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[WARM_UP:])


def peak_memory() -> float | None:
    """The peak memory of this process in megabytes; ``None`` if the system does not tell.

    Linux's ``getrusage`` includes the parent's memory at the start of this process, so ``/proc`` is read first.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6, 1)
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    # Kilobytes, but bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def _child(**arguments: Any) -> None:
    send = child_process.sender()
    send(asdict(_measure(Request(**arguments), send)))


if __name__ == "__main__":
    sys.exit(child_process.main(_child))
