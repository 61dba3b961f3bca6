"""Content in memory, to be written to a file of vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.vectors.column import Column
from zoo.vectors.content import BLOCK_BYTES, Entry
from zoo.vectors.rows import block_rows


@dataclass(frozen=True)
class ArrayContent:
    """Content in memory: an array (n, *shape) for each column, and as many entries.

    Raises:
        ValueError: the shapes do not match.
    """

    about: Mapping[str, Any]
    columns: Sequence[Column]
    arrays: Sequence[np.ndarray]
    images: Sequence[Entry]
    failed: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        for column, array in zip(self.columns, self.arrays, strict=True):
            if array.shape != (self.count, *column.shape):
                raise ValueError(f"'{column.name}' is {column.shape} for {self.count} images, not {array.shape}")

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.images)

    def blocks(self, column: Column, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows of a column in blocks."""
        array = self.arrays[list(self.columns).index(column)]
        rows = rows or block_rows(column.shape, BLOCK_BYTES)
        for start in range(0, self.count, rows):
            yield np.ascontiguousarray(array[start : start + rows], column.dtype)

    def entries(self) -> Iterator[Entry]:
        """The image of each row."""
        return iter(self.images)

    def failures(self) -> Iterator[tuple[str, str]]:
        """Path and error of each input without a row."""
        return iter(self.failed)
