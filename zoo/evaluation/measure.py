"""One network measured in a process of its own, so that its memory is its own: ``python -m zoo.evaluation.measure``.

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
from zoo.evaluation.scores import outputs
from zoo.inference import pipeline
from zoo.inference.classify import Classifier

#: Single images that are timed, at most, and the seconds that this may take.
REPEATS, SECONDS = 50, 3.0
#: And those before, which do not count: the first ones fill caches.
WARM_UP = 3
#: Seconds between two words on how far it is.
_INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """What is measured: a network, where it runs, and by which part (``"all"`` for no part) of which dataset."""

    model: str
    dataset: str
    part: str
    labels: Mapping[str, str] | None = None
    device: str = "auto"
    engine: str = "auto"
    batch_size: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What one network said, and what it took.

    ``ranks`` has for each image the place of the true class among all, from 1, and 0 where it could not be read;
    ``answers`` the dataset's name of the best class, or the network's own where the dataset has none. ``memory_mb``
    is the most that the process held; ``latency_ms`` the median of single images from pixels to probabilities;
    ``images_per_second`` includes reading the files.
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
    """Measure a network in a process that ends with it.

    Args:
        request: what and where.
        done: called with the number of images done, now and then.

    Raises:
        UsageError: as :func:`zoo.evaluate` does.
        UnavailableError: the same; or the process ended without an answer, e.g. because memory ran out.
    """
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    )
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        # In a session of its own, so that Ctrl-C reaches its parent alone, which then ends it.
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
            # One that is gone before it has read this is noticed by its silence.
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
    raise UnavailableError(f"The process that measured {request.model} ended without an answer ({reason}).")


def _listen(answers: IO[str], done: Callable[[int], None]) -> Measured | None:
    """Follow a child until it has said what it found."""
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
    """The work of the child."""
    data = read_for_evaluation(request.dataset, request.part)
    # The parent has fetched what there was to fetch.
    classifier = Classifier(
        request.model, device=request.device, engine=request.engine, batch_size=request.batch_size, offline=True
    )
    names, truth = outputs(classifier, data, request.labels)
    known = {int(index): name for index, name in reversed(list(zip(truth, data.classes, strict=True)))}
    engine, resize = classifier.engine, classifier.spec.resize
    blank = np.zeros((1, resize.height, resize.width, 3), np.uint8)
    # What happens only once, such as Keras's tracing, is no part of the speed.
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
            scores, true = classifier.corrected(output), int(truth[label])
            ranks.append(int((scores > scores[true]).sum() + (scores[:true] == scores[true]).sum()) + 1)
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
    """Milliseconds of one image, the median of many."""
    engine = classifier.engine
    if engine.name == "openvino":
        # It is started anew for single images, as 'zoo classify photo.jpg' starts it.
        engine = engines.start(
            classifier.spec,
            classifier.choice.weights,
            devices.select(request.device),
            engine="openvino",
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
    """Megabytes that this process has held at most; ``None`` where the system does not say.

    Linux's ``getrusage`` counts what the parent held when it started this process, so that ``/proc`` is asked first.
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
    # Whatever a framework prints must not come between the answers.
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
