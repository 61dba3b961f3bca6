"""Pictures in, outputs out: decoding in threads beside the engine, in order, in bounded memory."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from zoo.engines.base import Engine
from zoo.errors import ImageError
from zoo.images import load
from zoo.sources import Source
from zoo.spec import Resize

#: Batches that are decoded ahead of the engine. More would only cost memory.
AHEAD = 3


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
        sources: pictures; read lazily, so that a stream of any length needs the same memory.
        engine: what computes.
        resize: how pictures are brought to the network's size.
        threads: threads that decode; the number of processors without.
        read: what makes pixels of a source: uint8 (height, width, 3), or several pictures (k, height, width, 3), which
            give as many outputs.

    Yields:
        ``(source, output)`` with a float32 array of the network's output shape, without the batch axis.
    """
    workers = threads or processors()
    # Every source is one entry, in order: True where a picture of it went into a batch, else the reason.
    rows: deque[tuple[Source, ImageError | None]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        decoded = _decode(sources, partial(_attempt, read, resize), pool, ahead=AHEAD * engine.batch_size + workers)
        outputs = engine.run(_batches(decoded, engine.batch_size, rows))
        for output in outputs:
            for row in output:
                yield from _failed(rows)
                source, _ = rows.popleft()
                yield source, row
            yield from _failed(rows)
        yield from _failed(rows)


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _failed(rows: deque[tuple[Source, ImageError | None]]) -> Iterator[tuple[Source, ImageError]]:
    """Take the rows without a picture from the front."""
    while rows and rows[0][1] is not None:
        source, error = rows.popleft()
        if error is not None:
            yield source, error


def _batches(
    decoded: Iterable[tuple[Source, np.ndarray | ImageError]],
    size: int,
    rows: deque[tuple[Source, ImageError | None]],
) -> Iterator[np.ndarray]:
    """Stack pictures into batches of ``size``, the last one shorter, and note every source in ``rows``."""
    pictures: list[np.ndarray] = []
    for source, picture in decoded:
        if isinstance(picture, ImageError):
            rows.append((source, picture))
            continue
        for view in picture if picture.ndim == 4 else (picture,):
            rows.append((source, None))
            pictures.append(view)
            if len(pictures) == size:
                yield np.stack(pictures)
                pictures = []
    if pictures:
        yield np.stack(pictures)


def _decode(
    sources: Iterable[Source],
    read: Callable[[Source], np.ndarray | ImageError],
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
    """Decode ``ahead`` sources at a time and yield them in order."""
    remaining = iter(sources)
    waiting: deque[tuple[Source, Future[np.ndarray | ImageError]]] = deque(
        (source, pool.submit(read, source)) for source in itertools.islice(remaining, ahead)
    )
    try:
        while waiting:
            source, future = waiting.popleft()
            picture = future.result()
            for following in itertools.islice(remaining, 1):
                waiting.append((following, pool.submit(read, following)))
            yield source, picture
    finally:
        # Interrupted: what has not begun need not begin.
        for _, future in waiting:
            future.cancel()


def _attempt(read: Callable[[Source, Resize], np.ndarray], resize: Resize, source: Source) -> np.ndarray | ImageError:
    try:
        return read(source, resize)
    except ImageError as error:
        return error
