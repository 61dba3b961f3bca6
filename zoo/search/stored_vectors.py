"""The vectors of images that are in a file of vectors already, found by their paths."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator

import numpy as np

from zoo.core.errors import ImageError
from zoo.images.sources import Source
from zoo.vectors import Vectors

#: Images whose vectors are read together.
_TOGETHER = 256


class ByPath:
    """Looks paths up; those of the file are read once, and a number is kept of each."""

    def __init__(self, vectors: Vectors) -> None:
        """Nothing is read before the first image."""
        self._vectors = vectors
        self._stamps = vectors.stamps(0, vectors.count)
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def stream(self, images: Iterable[Source]) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
        """The stored vector of each image, float32 (dim,), or the reason why there is none.

        A file that has changed since its vector was made, as far as that is known, has none; one that is not there has
        its vector. A path that occurs more than once has that of its first.
        """
        remaining = iter(images)
        while batch := list(itertools.islice(remaining, _TOGETHER)):
            rows = [self._row(source.path) for source in batch]
            there = np.array([row for row in rows if row is not None], np.int64)
            stored = iter(self._vectors.take(there).reshape(len(there), self._vectors.dim).astype(np.float32))
            for source, row in zip(batch, rows, strict=True):
                if row is None:
                    yield source, ImageError(f"not among the images of {self._vectors.path}")
                    continue
                vector = next(stored)
                if self._is_changed(source.path, row):
                    yield source, ImageError(f"changed since its vector in {self._vectors.path} was made")
                elif not np.isfinite(vector).all():
                    yield source, ImageError("its vector is not finite")
                else:
                    yield source, vector

    def _row(self, path: str) -> int | None:
        """The first row of a path, or of the same path written in another way."""
        if self._sorted is None:
            numbers = np.fromiter((hash(_whole(one)) for one in self._vectors.paths), np.int64, self._vectors.count)
            order = np.argsort(numbers, kind="stable")
            self._sorted = numbers[order], order
        numbers, order = self._sorted
        whole = _whole(path)
        first, last = np.searchsorted(numbers, hash(whole)), np.searchsorted(numbers, hash(whole), "right")
        # Different paths may have the same number.
        return next((row for row in order[first:last].tolist() if _whole(self._vectors.paths[row]) == whole), None)

    def _is_changed(self, path: str, row: int) -> bool:
        if self._stamps is None or self._stamps[0][row] < 0:
            return False
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return False
        return (status.st_size, status.st_mtime_ns) != (self._stamps[0][row], self._stamps[1][row])


def _whole(path: str) -> str:
    """A path from the root of the file system, in one way of several; an address as it is."""
    return path if "://" in path else os.path.abspath(path)
