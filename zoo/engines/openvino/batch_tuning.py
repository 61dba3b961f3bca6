"""The batch size with which a compiled network is fastest on this processor: measured once, and kept beside it.

No rule knows it. One by one the data of a network stay in the processor's cache; more at a time share the reading of
the weights, and what each call costs. Of two processors, ResNet50 is a tenth faster by fours on the one, and a
fourteenth slower on the other.
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

#: Images in a batch that are tried, from few to many.
CANDIDATES = (1, 2, 4, 8, 16)
#: Seconds that each is run, and batches that it is run for at least; those of a candidate may not take longer.
SECONDS, BATCHES, LONGEST = 0.7, 4, 4.0
#: Billions of multiply-accumulates of all images together from which on it pays to measure: they take longer.
LONG = 3000.0
#: A larger batch is taken where it is faster by this share; where it is slower by more than the other, so are the next.
WORTH, HOPELESS = 0.02, 0.06


def enough(gmacs: float | None) -> int:
    """From how many images on it pays to measure.

    Args:
        gmacs: billions of multiply-accumulates for an image, where that is known.
    """
    return math.ceil(LONG / (gmacs or 1.0))


def asking(come: Callable[[int], bool] | None, gmacs: float | None) -> Callable[[], bool] | None:
    """What says whether it pays, of what says whether so many images come; ``None`` where nobody knows."""
    return None if come is None else lambda: come(enough(gmacs))


def find(file: Path, start: Callable[[int], Engine], size: tuple[int, int]) -> int:
    """The fastest batch size: as it was measured before, else measured now, for a few seconds, and kept.

    Args:
        file: where it is kept; where that cannot be written it is measured each time.
        start: an engine with a batch size.
        size: height and width of an image.
    """
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
    """The batch size that was measured before; ``None`` where none was, or the file is damaged."""
    try:
        best = json.loads(file.read_text())["batch_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return best if best in CANDIDATES else None


def measure(start: Callable[[int], Engine], size: tuple[int, int]) -> dict[int, float]:
    """Images in a second of processor time, for each batch size that is worth trying."""
    rates: dict[int, float] = {}
    seconds = 0.0
    for batch_size in CANDIDATES:
        worse = bool(rates) and rates[batch_size // 2] < (1 - HOPELESS) * max(rates.values())
        if worse or BATCHES * batch_size * seconds > LONGEST:
            break
        rates[batch_size], seconds = _rate(start(batch_size), size)
    return rates


def fastest(rates: dict[int, float]) -> int:
    """Of the batch sizes with their rates the fastest, or a smaller one that is nearly as fast."""
    best = min(rates)
    for batch_size in sorted(rates):
        if rates[batch_size] > (1 + WORTH) * rates[best]:
            best = batch_size
    return best


def _rate(engine: Engine, size: tuple[int, int]) -> tuple[float, float]:
    """Images in a second of processor time, and the seconds that an image took.

    Processor time, because other work on the machine changes it the least: all processors are busy in either case.
    """
    images = np.random.default_rng(0).integers(0, 256, (engine.batch_size, *size, 3), np.uint8)

    def batches() -> Iterator[np.ndarray]:
        ended = time.perf_counter() + SECONDS
        for number in itertools.count():
            if number >= BATCHES and time.perf_counter() > ended:
                return
            yield images

    for _ in engine.run([images, images]):
        pass
    started, used = time.perf_counter(), time.process_time()
    done = sum(len(output) for output in engine.run(batches()))
    return done / (time.process_time() - used), (time.perf_counter() - started) / done
