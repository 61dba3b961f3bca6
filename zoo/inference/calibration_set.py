"""Some images of many, drawn by chance: what a network is calibrated and checked on."""

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

#: Bytes of pixels that a sample takes at most.
MEMORY = 128 << 20


def sample(sources: Iterable[Source], resize: Resize, count: int, *, seed: int = 0) -> np.ndarray:
    """Draw some images from a stream of any length and decode them.

    Every source has the same chance (reservoir sampling: Vitter, "Random sampling with a reservoir", ACM TOMS 11(1),
    1985, algorithm R), and the same sources in the same order give the same sample. Memory is bounded: only what is
    drawn is remembered, and decoded at the end.

    Args:
        sources: images; all are looked at, none is opened but those drawn.
        resize: how images are brought to the network's size.
        count: images to draw; fewer where those of this size would take more than :data:`MEMORY`.
        seed: of the draw.

    Returns:
        uint8 (n, height, width, 3), RGB 0-255, in the order of the sources. Fewer than ``count`` where there are fewer,
        and where some of those that were drawn cannot be read.
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
