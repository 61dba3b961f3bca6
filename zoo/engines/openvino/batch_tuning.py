"""The fastest batch size of a compiled network on this processor: measured once, and kept beside the network.

No rule predicts it. One image at a time keeps a network's data in the processor's cache; more share the reading of the
weights and the cost of a call. ResNet50 was a tenth faster by fours on one processor and 7 % slower on another.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from zoo.engines.base import Engine

log = logging.getLogger(__name__)

#: Batch sizes that are tried, in this order.
CANDIDATES = (1, 2, 4, 8, 16)
#: For each candidate: seconds and batches at least, and seconds at most for these batches.
SECONDS, BATCHES, LONGEST = 0.7, 4, 4.0
#: Billions of multiply-accumulates of all images together above which measuring is worthwhile.
WORTHWHILE = 3000.0
#: A larger batch is taken if it is faster by the first share; none larger is tried if it is slower by the second.
FASTER, SLOWER = 0.02, 0.06


def images_needed(gmacs: float | None) -> int:
    """How many images make measuring worthwhile, for a network of so many billions of multiply-accumulates."""
    return math.ceil(WORTHWHILE / (gmacs or 1.0))


def find(file: Path, start: Callable[[int], Engine], size: tuple[int, int]) -> int:
    """The fastest batch size: read from a file, else measured for a few seconds and written to it."""
    best = known(file)
    if best is None:
        started = time.perf_counter()
        rates = measure(start, size)
        best = fastest(rates)
        log.debug("batch size %d, found in %.1f s: %s", best, time.perf_counter() - started, rates)
        try:
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps({"batch_size": best, "pictures_a_second": rates}))
        except OSError as error:
            log.debug("%s cannot be written: %s", file, error)
    return best


def known(file: Path) -> int | None:
    """The batch size that was measured before; ``None`` if there is none or the file is damaged."""
    try:
        best = json.loads(file.read_text())["batch_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return best if best in CANDIDATES else None


def measure(start: Callable[[int], Engine], size: tuple[int, int]) -> dict[int, float]:
    """Images per second of processor time, for each batch size worth trying."""
    rates: dict[int, float] = {}
    seconds = 0.0
    for batch_size in CANDIDATES:
        slower = bool(rates) and rates[batch_size // 2] < (1 - SLOWER) * max(rates.values())
        if slower or BATCHES * batch_size * seconds > LONGEST:
            break
        rates[batch_size], seconds = _rate(start(batch_size), size)
    return rates


def fastest(rates: dict[int, float]) -> int:
    """The fastest batch size, or a smaller one that is nearly as fast."""
    best = min(rates)
    for batch_size in sorted(rates):
        if rates[batch_size] > (1 + FASTER) * rates[best]:
            best = batch_size
    return best


def _rate(engine: Engine, size: tuple[int, int]) -> tuple[float, float]:
    """Images per second of processor time, which other work on the machine affects least, and seconds per image."""
    images = np.random.default_rng(0).integers(0, 256, (engine.batch_size, *size, 3), np.uint8)

    def batches() -> Iterator[np.ndarray]:
        end = time.perf_counter() + SECONDS
        for number in itertools.count():
            if number >= BATCHES and time.perf_counter() > end:
                return
            yield images

    for _ in engine.run([images, images]):
        pass
    started, used = time.perf_counter(), time.process_time()
    done = sum(len(output) for output in engine.run(batches()))
    return done / (time.process_time() - used), (time.perf_counter() - started) / done
