"""Files of vectors to look into."""

from __future__ import annotations

import numpy as np

from tests.vectors.array_content import ArrayContent
from zoo.vectors import Column, open_vectors
from zoo.vectors.content import Entry
from zoo.vectors.formats import registry


def write(path, vectors, paths=None, *, about=None, dtype="float32", stamps=None):
    """Write vectors (n, …) as zoo does, of images with these names."""
    vectors = np.asarray(vectors, dtype)
    names = [f"{row}.jpg" for row in range(len(vectors))] if paths is None else [str(path) for path in paths]
    entries = [Entry(name, *(stamps[row] if stamps else (-1, -1))) for row, name in enumerate(names)]
    column = Column("features", vectors.shape[1:], vectors.dtype, {"layer": ""} if about else {})
    registry.format_of(path).load().write(ArrayContent(about or {}, [column], [vectors], entries), path)
    return path


def opened(path, vectors, paths=None, **how):
    """The same, open for reading."""
    return open_vectors(write(path, vectors, paths, **how))


def units(vectors):
    """Vectors of the length 1, in float64; 0 for those that have none."""
    values = np.asarray(vectors, np.float64).reshape(len(vectors), -1)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
