"""Images in, outputs out: decoding in threads beside the engine, in order, in bounded memory."""

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

#: Batches that are decoded ahead of the engine. More would only cost memory.
AHEAD = 3
#: Bytes of frames of videos, and of arrays, that wait to be read.
HELD = 64 << 20


def run(
    sources: Iterable[Source],
    engine: Engine,
    resize: Resize,
    *,
    threads: int | None = None,
    read: Callable[[Source, Resize], np.ndarray] = load,
) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
    """Yield each source, in order, with the network's output for it or the reason why there is none.

    Args:
        sources: images; read lazily, so that a stream of any length needs the same memory.
        engine: what computes.
        resize: how images are brought to the network's size.
        threads: threads that decode; the number of processors without.
        read: what makes pixels of a source: uint8 (height, width, 3), or several images (k, height, width, 3), which
            give as many outputs.

    Yields:
        ``(source, output)`` with a float32 array of the network's output shape, without the batch axis.
    """
    workers = threads or processors()
    # Every image is one entry, in order, with the reason where it could not be read.
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
    """Take the rows without an image from the front."""
    while rows and rows[0][1] is not None:
        source, error = rows.popleft()
        if error is not None:
            yield source, error


class _Buffers:
    """Arrays for batches, whose memory is used again: fresh memory costs more than copying an image into it.

    An engine gives outputs in the order of the batches, and reads a batch until then. So with each output the oldest
    array is free, and there are never more of them than an engine computes at a time, and one.
    """

    def __init__(self, size: int) -> None:
        """Arrays for ``size`` images."""
        self.size = size
        self._free: list[np.ndarray] = []
        self._given: deque[np.ndarray] = deque()

    def take(self, image: np.ndarray) -> np.ndarray:
        """An array for images like this one; its content is anything."""
        array = self._free.pop() if self._free else np.empty((self.size, *image.shape), image.dtype)
        self._given.append(array)
        return array

    def give_back(self) -> None:
        """The oldest array is not read any more."""
        self._free.append(self._given.popleft())


def _batches(
    decoded: Iterable[tuple[Source, np.ndarray | ImageError]],
    buffers: _Buffers,
    rows: deque[tuple[Source, ImageError | None]],
) -> Iterator[np.ndarray]:
    """Put images together into batches, the last one shorter, and note every image in ``rows``.

    They are put one behind the other as they come in order, so that those that could not be read leave no holes.
    """
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
    """Decode ``ahead`` sources at a time, fewer where these hold images themselves, and yield them in order."""
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
        # Interrupted: what has not begun need not begin.
        for _, future in waiting:
            future.cancel()


def _attempt(read: Callable[[Source, Resize], np.ndarray], resize: Resize, source: Source) -> np.ndarray | ImageError:
    try:
        return read(source, resize)
    except ImageError as error:
        return error
