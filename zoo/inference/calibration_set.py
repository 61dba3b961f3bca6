"""The calibration set: a random sample of images."""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.spec import Resize
from zoo.images.decode import load
from zoo.images.source import Source

#: Bytes of pixels in a sample at most.
MEMORY = 128 << 20


def sample(sources: Iterable[Source], resize: Resize, count: int, *, seed: int = 0) -> np.ndarray:
    """Draw ``count`` images of a stream at random, or as many as :data:`MEMORY` holds: uint8 (n, height, width, 3).

    They are in the order of the sources, the same for the same seed; unreadable images are left out.

    Reservoir sampling: Vitter, "Random sampling with a reservoir", ACM TOMS 11(1), 1985, algorithm R.
    """
    count = min(count, MEMORY // (resize.height * resize.width * 3))
    chance = random.Random(seed)
    drawn: list[tuple[int, Source]] = []
    seen = 0
    for source in sources:
        if source.problem is not None:
            continue
        place = seen if seen < count else chance.randrange(seen + 1)
        if place < count:
            drawn[place : place + 1] = [(seen, source)]
        seen += 1
    drawn.sort(key=lambda pair: pair[0])
    with ThreadPoolExecutor(processors(), thread_name_prefix="decode") as pool:
        images = [image for image in pool.map(lambda pair: _read(pair[1], resize), drawn) if image is not None]
    return np.stack(images) if images else np.empty((0, resize.height, resize.width, 3), "uint8")


def _read(source: Source, resize: Resize) -> np.ndarray | None:
    try:
        return load(source, resize)
    except ImageError:
        return None
