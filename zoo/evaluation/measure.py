"""Measure one model in a process of its own, for its memory: ``python -m zoo.evaluation.measure``.

The parent writes a :class:`Request` as JSON to standard input. The child answers with lines of JSON: ``{"done": n}`` as
it goes, and last ``{"measured": …}``, or ``{"error": …, "status": …}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo import engines
from zoo.core.errors import ImageError, UnavailableError, UsageError, ZooError
from zoo.data.dataset import read_for_evaluation
from zoo.engines import devices
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
        UnavailableError: likewise; or the process died without an answer, e.g. because memory ran out.
    """
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    )
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        # In a session of its own, so that Ctrl-C reaches only the parent, which then kills it.
        process = subprocess.Popen(
            [sys.executable, "-m", "zoo.evaluation.measure"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            assert process.stdin is not None and process.stdout is not None
            # If it died before reading this, it does not answer.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(asdict(request)))
                process.stdin.close()
            found = _listen(process.stdout, done)
            process.wait()
        finally:
            process.kill()
            process.wait()
        if found is not None:
            return found
        errors.seek(0)
        lines = [line.strip() for line in errors if line.strip()]
    reason = lines[-1] if lines else f"status {process.returncode}"
    raise UnavailableError(f"The process that measured {request.model} died without an answer ({reason}).")


def _listen(answers: IO[str], done: Callable[[int], None]) -> Measured | None:
    """Read the child's messages up to its measurements."""
    for line in answers:
        message = json.loads(line)
        if "done" in message:
            done(message["done"])
        elif "error" in message:
            kind = UsageError if message["status"] == UsageError.exit_status else UnavailableError
            raise kind(message["error"])
        else:
            return Measured(**message["measured"])
    return None


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


def main() -> int:
    """Entry point of the child."""
    import logging

    logging.disable(logging.CRITICAL)
    # A framework's output must not come between the messages.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    try:
        say({"measured": asdict(_measure(Request(**json.load(sys.stdin)), lambda count: say({"done": count})))})
    except ZooError as error:
        say({"error": str(error), "status": error.exit_status})
        return error.exit_status
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
