"""Vectors of images that are in a file of vectors already, looked up by path."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator

import numpy as np

from zoo.core.errors import ImageError
from zoo.images.source import Source
from zoo.vectors import Vectors

#: Images whose vectors are read together.
_BATCH = 256


class StoredVectors:
    """Looks paths up; the paths of the file are read once, and a hash of each is kept."""

    def __init__(self, vectors: Vectors) -> None:
        """Nothing is read before the first lookup."""
        self._vectors = vectors
        self._stamps = vectors.stamps(0, vectors.count)
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def stream(self, images: Iterable[Source]) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
        """The stored vector of each image, float32 (dim,), or the reason why there is none."""
        remaining = iter(images)
        while batch := list(itertools.islice(remaining, _BATCH)):
            rows = [self._row(source.path) for source in batch]
            present = np.array([row for row in rows if row is not None], np.int64)
            stored = iter(self._vectors.take(present).reshape(len(present), self._vectors.dim).astype(np.float32))
            for source, row in zip(batch, rows, strict=True):
                if row is None:
                    yield source, ImageError(f"not among the images of {self._vectors.path}")
                    continue
                vector = next(stored)
                if self._is_changed(source.path, row):
                    yield source, ImageError(f"changed since its vector in {self._vectors.path} was computed")
                elif not np.isfinite(vector).all():
                    yield source, ImageError("its vector is not finite")
                else:
                    yield source, vector

    def _row(self, path: str) -> int | None:
        """The first row with this path, relative or absolute."""
        if self._sorted is None:
            hashes = np.fromiter((hash(_absolute(one)) for one in self._vectors.paths), np.int64, self._vectors.count)
            order = np.argsort(hashes, kind="stable")
            self._sorted = hashes[order], order
        hashes, order = self._sorted
        wanted = _absolute(path)
        first, last = (np.searchsorted(hashes, hash(wanted), side) for side in ("left", "right"))
        # Different paths may have the same hash.
        return next((row for row in order[first:last].tolist() if _absolute(self._vectors.paths[row]) == wanted), None)

    def _is_changed(self, path: str, row: int) -> bool:
        if self._stamps is None or self._stamps[0][row] < 0:
            return False
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return False
        return (status.st_size, status.st_mtime_ns) != (self._stamps[0][row], self._stamps[1][row])


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)
