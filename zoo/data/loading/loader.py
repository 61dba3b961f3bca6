"""From a dataset to batches: each file is read once if that fits in memory, and augmented in the background."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np

from zoo.core.errors import UnavailableError
from zoo.core.hardware import available_memory, processors
from zoo.core.progress import Progress
from zoo.core.spec import Resize
from zoo.data.augment.config import Augment
from zoo.data.augment.pipeline import augment_batch
from zoo.data.idx import IdxImages
from zoo.data.loading.decoding import Decoder
from zoo.data.loading.shared_headers import is_fit
from zoo.data.split import Split

#: Images for random crops are larger than the network's input by this factor: the common 256 pixels for 224.
CROP_MARGIN = 1 / 0.875
#: Share of the available memory that images may take.
MEMORY_SHARE = 0.25
#: Batches that are made ahead of training. More would only cost memory.
AHEAD = 4
#: Images decoded first, to measure the time, and seconds of work a worker from which on processes are started.
PROBE, WORTH = 64, 0.4
#: Pixels from which on several threads make batches faster than one; below, they wait for each other.
LARGE = 96 * 96

# Two random streams, so that none of their seeds are equal.
_ORDER, _AUGMENT = 1, 2


@dataclass(eq=False)
class Loader:
    """Images of one part of a dataset as batches, epoch by epoch; unreadable files are listed in :attr:`failed`.

    A batch depends on seed, epoch and step only, not on workers or memory, so training can be resumed exactly.
    """

    split: Split
    resize: Resize
    _: KW_ONLY
    classes: int
    batch_size: int
    #: Random changes; if omitted, pixels are those of :func:`zoo.images.decode.load`.
    augment: Augment | None = None
    #: A new order of all images in every epoch.
    shuffle: bool = False
    seed: int = 0
    #: Threads and processes that decode and augment; the number of processors if omitted.
    workers: int | None = None
    #: Bytes that decoded images may take; a quarter of what is available if omitted.
    memory: int | None = None
    #: Leave out the last batch of an epoch if it is smaller than the others.
    drop_last: bool = False
    #: The target of each image, float32 (n, columns); one-hot labels if omitted.
    targets: np.ndarray | None = None
    #: Files that cannot be read, each with the reason.
    failed: list[tuple[str, str]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._workers = max(1, self.workers or processors())
        self._stored = stored_size(self.resize, self.augment)
        self._grey = isinstance(self.split.sources, IdxImages)
        # Indices of the images that take part, and all of them decoded, uint8 (n, h, w, 3) or (n, h, w).
        self._kept = np.arange(len(self.split))
        self._pixels: np.ndarray | None = None
        self._prepared = False
        self._decoder: Decoder | None = None
        self._reported: set[int] = set()
        self._lock = threading.Lock()

    @property
    def steps(self) -> int:
        """Batches an epoch. If all images are fewer than a batch, they are one."""
        count = len(self._kept) / self.batch_size
        return math.floor(count) if self.drop_last and count > 1 else math.ceil(count)

    @property
    def labels(self) -> np.ndarray:
        """Classes of the images that take part, in their order: int64 (n,)."""
        return np.asarray(self.split.labels[self.kept])

    @property
    def kept(self) -> np.ndarray:
        """Indices of the images that take part, as far as is known: int64 (m,)."""
        return np.setdiff1d(self._kept, sorted(self._reported), assume_unique=True)

    @property
    def nbytes(self) -> int:
        """What all images take, decoded."""
        return len(self.split) * math.prod(self._shape)

    @property
    def _shape(self) -> tuple[int, ...]:
        size = self._stored.height, self._stored.width
        return size if self._grey else (*size, 3)

    def prepare(self, progress: Progress | None = None) -> None:
        """Decode all images if they fit in the memory that they may take; otherwise they are read in each epoch."""
        if self._prepared:
            return
        self._prepared = True
        limit = int(MEMORY_SHARE * available_memory()) if self.memory is None else self.memory
        sources = self.split.sources
        if isinstance(sources, IdxImages) and is_fit(sources.pixels.shape[:0:-1], self._stored):
            self._pixels = sources.pixels[sources.indices]
        elif self.nbytes <= limit:
            self._decode_all(progress)

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches from step ``start`` on, made in the background: uint8 (b, h, w, 3) and float32 (b, classes)."""
        self.prepare()
        order = self._kept
        if self.shuffle:
            order = order[np.random.default_rng(self._entropy(_ORDER, number)).permutation(len(order))]
        threads = self._workers if self._pixels is not None and math.prod(self._shape[:2]) >= LARGE else 1
        if self._pixels is None:
            # Each waits for the threads that decode, and one alone would not keep all of those busy.
            threads = AHEAD
        waiting: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
        pool = ThreadPoolExecutor(threads, thread_name_prefix="batch")
        try:
            for step in range(start, self.steps):
                indices = order[step * self.batch_size : (step + 1) * self.batch_size]
                waiting.append(pool.submit(self._batch, indices, number, step))
                if len(waiting) > max(AHEAD, threads):
                    yield from _filled(waiting.popleft())
            while waiting:
                yield from _filled(waiting.popleft())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Stop decoding, and free the pixels."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._pixels = None
        self._prepared = False

    def _entropy(self, stream: int, number: int, step: int = 0) -> list[int]:
        return [stream, self.seed % 2**64, number, step]

    def _decode_all(self, progress: Progress | None) -> None:
        count = len(self.split)
        pixels = np.empty((count, *self._shape), np.uint8)
        failed: dict[int, str] = {}
        probe = min(PROBE, count)
        with closing(Decoder(self._stored, 1, processes=False)) as decoder:
            # The first image is not timed, because it pays for imports.
            failed.update(decoder.submit(self.split.sources[:1], pixels[:1]).result())
            started = time.perf_counter()
            failed.update(decoder.submit(self.split.sources[:probe], pixels[:probe]).result())
            seconds = (time.perf_counter() - started) / max(1, probe)
        if progress is not None:
            progress(probe, count)
        worth = self._workers > 1 and seconds * (count - probe) / self._workers > WORTH
        with closing(Decoder(self._stored, self._workers, processes=worth)) as decoder:
            waiting: deque[tuple[int, int, Future[list[tuple[int, str]]]]] = deque()
            for begin in range(probe, count, decoder.chunk):
                end = min(count, begin + decoder.chunk)
                future = decoder.submit(self.split.sources[begin:end], pixels[begin:end])
                waiting.append((begin, end, future))
            while waiting:
                begin, end, future = waiting.popleft()
                failed.update((begin + at, why) for at, why in future.result())
                if progress is not None:
                    progress(end, count)
        for index, why in sorted(failed.items()):
            self._report(index, why)
        self._kept = np.delete(np.arange(count), sorted(failed))
        if not len(self._kept):
            raise UnavailableError(self._none())
        self._pixels = pixels

    def _batch(self, indices: np.ndarray, number: int, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels and labels of one batch."""
        x, indices = self._fetch(indices)
        y = one_hot(self.split.labels[indices], self.classes) if self.targets is None else self.targets[indices]
        if self.augment is not None and len(x):
            rng = np.random.default_rng(self._entropy(_AUGMENT, number, step))
            x, y = augment_batch(x, y, self.augment, rng, (self.resize.height, self.resize.width))
        if x.ndim == 3:
            x = np.repeat(x[..., None], 3, axis=-1)
        return x, y

    def _fetch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decoded images, and the indices of those that can be read."""
        if self._pixels is not None:
            return self._pixels[indices], indices
        with self._lock:
            if self._decoder is None:
                self._decoder = Decoder(self._stored, self._workers, processes=self._workers > 1)
            decoder = self._decoder
        pixels = np.empty((len(indices), *self._shape), np.uint8)
        # Small pieces, so that all workers share the batch that is waited for.
        size = min(decoder.chunk, math.ceil(len(indices) / self._workers))
        waiting = [
            (begin, decoder.submit([self.split.sources[index] for index in piece], pixels[begin : begin + size]))
            for begin in range(0, len(indices), size)
            for piece in [indices[begin : begin + size]]
        ]
        failed = [(begin + at, why) for begin, future in waiting for at, why in future.result()]
        if not failed:
            return pixels, indices
        for at, why in failed:
            self._report(int(indices[at]), why)
        if len(self._reported) == len(self.split):
            raise UnavailableError(self._none())
        readable = np.delete(np.arange(len(indices)), [at for at, _ in failed])
        return pixels[readable], indices[readable]

    def _report(self, index: int, why: str) -> None:
        with self._lock:
            if index not in self._reported:
                self._reported.add(index)
                self.failed.append((self.split.sources[index].path, why))

    def _none(self) -> str:
        path, why = self.failed[0]
        return f"None of the {len(self.split)} images can be read; the first is {path}: {why}."


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """One-hot labels, float32 (n, ``classes``), of integers (n,)."""
    rows = np.zeros((len(labels), classes), np.float32)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def stored_size(resize: Resize, augment: Augment | None) -> Resize:
    """How images are kept: as the network takes them, or whole and larger for random crops."""
    if augment is None or augment.crop is None:
        return resize
    height, width = (math.ceil(side * CROP_MARGIN) for side in (resize.height, resize.width))
    return replace(resize, height=height, width=width, fraction=1.0)


def _filled(future: Future[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batch, unless it is empty."""
    if len((batch := future.result())[0]):
        yield batch
