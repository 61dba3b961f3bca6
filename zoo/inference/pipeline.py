"""The inference pipeline: images are decoded in threads beside the engine, in order and in bounded memory."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.spec import Resize
from zoo.engines.base import Engine
from zoo.images.decode import load
from zoo.images.source import Source

#: Batches that are decoded ahead of the engine.
AHEAD = 3
#: Bytes of video frames and arrays that may wait to be decoded.
HELD = 64 << 20


def run(
    sources: Iterable[Source],
    engine: Engine,
    resize: Resize,
    *,
    threads: int | None = None,
    read: Callable[[Source, Resize], np.ndarray] = load,
) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
    """Yield each source, in order, with the network's output for it, float32 (…), or the reason why there is none.

    Sources are read lazily. ``read`` gives uint8 (height, width, 3), or several images (k, height, width, 3).
    """
    workers = threads or processors()
    # One entry for every image, in order, with the reason if it could not be read.
    rows: deque[tuple[Source, ImageError | None]] = deque()
    buffers = _Buffers(engine.batch_size)
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        decoded = _decode(sources, partial(_attempt, read, resize), pool, ahead=AHEAD * engine.batch_size + workers)
        for output in engine.run(_batches(decoded, buffers, rows)):
            buffers.give_back()
            for row in output:
                yield from _failed(rows)
                source, _ = rows.popleft()
                yield source, row
            yield from _failed(rows)
        yield from _failed(rows)


def _failed(rows: deque[tuple[Source, ImageError | None]]) -> Iterator[tuple[Source, ImageError]]:
    """Take the failed images from the front."""
    while rows and (error := rows[0][1]) is not None:
        yield rows.popleft()[0], error


class _Buffers:
    """Reused arrays for batches of ``size`` images: new memory costs more than copying an image into it.

    An engine yields outputs in the order of the batches, and reads a batch until then: each output frees the oldest.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[np.ndarray] = []
        self._given: deque[np.ndarray] = deque()

    def take(self, image: np.ndarray) -> np.ndarray:
        """An array for images like this one, with arbitrary content."""
        array = self._free.pop() if self._free else np.empty((self.size, *image.shape), image.dtype)
        self._given.append(array)
        return array

    def give_back(self) -> None:
        """Free the oldest array."""
        self._free.append(self._given.popleft())


def _batches(
    decoded: Iterable[tuple[Source, np.ndarray | ImageError]],
    buffers: _Buffers,
    rows: deque[tuple[Source, ImageError | None]],
) -> Iterator[np.ndarray]:
    """Stack images to batches, the last one shorter, and note every image in ``rows``; failed ones leave no gap."""
    filled = 0
    for source, image in decoded:
        if isinstance(image, ImageError):
            rows.append((source, image))
            continue
        for view in image if image.ndim == 4 else (image,):
            rows.append((source, None))
            if not filled:
                batch = buffers.take(view)
            batch[filled] = view
            filled += 1
            if filled == buffers.size:
                yield batch
                filled = 0
    if filled:
        yield batch[:filled]


def _decode(
    sources: Iterable[Source],
    read: Callable[[Source], np.ndarray | ImageError],
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
    """Decode ``ahead`` sources at a time, fewer if they hold pixels themselves, and yield them in order."""
    remaining = iter(sources)
    waiting: deque[tuple[Source, Future[np.ndarray | ImageError]]] = deque()

    def take() -> None:
        for source in itertools.islice(remaining, ahead - len(waiting)):
            waiting.append((source, pool.submit(read, source)))
            if source.held and sum(other.held for other, _ in waiting) > HELD:
                return

    try:
        take()
        while waiting:
            source, future = waiting.popleft()
            image = future.result()
            take()
            yield source, image
    finally:
        # After an interruption, the rest need not be decoded.
        for _, future in waiting:
            future.cancel()


def _attempt(read: Callable[[Source, Resize], np.ndarray], resize: Resize, source: Source) -> np.ndarray | ImageError:
    try:
        return read(source, resize)
    except ImageError as error:
        return error
