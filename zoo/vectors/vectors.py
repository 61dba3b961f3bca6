"""Vectors on disk, whatever the format: one for each image, read as they are needed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from zoo.core.errors import UsageError, ZooError
from zoo.vectors.column import Column
from zoo.vectors.rows import Buffers, Rows, block_rows

#: Sizes in bytes and times of change in nanoseconds of the images' files, int64 (n,) each; -1 where they have none.
Stamps = tuple[np.ndarray, np.ndarray]


@contextmanager
def reading(path: object) -> Iterator[None]:
    """Turns what a library finds wrong in the middle of a file into a sentence.

    Raises:
        UsageError: something was wrong.
    """
    try:
        yield
    except ZooError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise UsageError(f"{path} is damaged; make it anew with 'zoo features'.") from error


class Vectors:
    """The vectors of one column of a file, with the names of their images; a context manager.

    Attributes:
        path: the file or folder.
        about: what is known of them: ``model``, ``layer``, ``pool``, ``preprocessing``, ``weights_digest``, …; nothing
            of a file that zoo did not write. Where the column has attributes of its own they stand before the file's.
        columns: all that the file has for each image.
        column: the one that is read here.
        count: images.
        shape: of one row.
        dim: numbers in a row.
        dtype: as stored.
        paths: the names of the images, read as they are needed.
    """

    def __init__(
        self,
        path: str,
        rows: Rows,
        paths: Sequence[str],
        closing: ExitStack,
        *,
        about: Mapping[str, Any] | None = None,
        columns: Sequence[Column] = (),
        column: Column | None = None,
        norms: Callable[[], np.ndarray] | None = None,
        stamps: Callable[[int, int], Stamps] | None = None,
        failed: Callable[[], Iterator[tuple[str, str]]] | None = None,
    ) -> None:
        """What a format found.

        Args:
            path: the file.
            rows: reads the numbers.
            paths: as many as rows.
            closing: closes what is open.
            about: the attributes of the file.
            columns: of the file; ``features`` alone without.
            column: the one that ``rows`` reads; the first without.
            norms: reads the norms that the file has for this column.
            stamps: reads sizes and times of some images' files.
            failed: reads the inputs without vectors.
        """
        if len(paths) != rows.count:
            raise UsageError(f"{path} has {rows.count} vectors and the names of {len(paths)} images; make it anew.")
        self.path, self.paths = path, paths
        self.count, self.shape, self.dtype = rows.count, rows.shape, rows.dtype
        self.dim = math.prod(rows.shape)
        self.columns = tuple(columns) or (Column("features", rows.shape, rows.dtype),)
        self.column = column or self.columns[0]
        self.about = {**(about or {}), **self.column.attributes}
        self._file_about = dict(about or {})
        self._rows, self._closing = rows, closing
        self._norms, self._stamps, self._failed = norms, stamps, failed

    @property
    def file_about(self) -> dict[str, Any]:
        """The attributes of the file alone, without those of the column."""
        return dict(self._file_about)

    @cached_property
    def norms(self) -> np.ndarray | None:
        """L2 norms of the rows as stored, float32 (count,); ``None`` where the file does not keep them."""
        return self._norms() if self._norms is not None else None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows as stored, (stop - start, *shape), in memory of their own.

        Raises:
            UsageError: there are no such rows.
            UnavailableError: the file cannot be read any more; so for all that read.
        """
        if not 0 <= start <= stop <= self.count:
            raise UsageError(f"{self.path} has rows 0 to {self.count - 1}. Received: {start}:{stop}")
        values = np.empty((stop - start, *self.shape), self.dtype)
        self._rows.fill(start, values)
        return values

    def fill(self, start: int, out: np.ndarray) -> None:
        """Read rows from ``start`` on, as stored, into an array (n, *shape) of :attr:`dtype`, C-contiguous."""
        self._rows.fill(start, out)

    def take(self, rows: np.ndarray | Sequence[int]) -> np.ndarray:
        """Rows as stored, in the order that is asked for, (n, *shape); a row may be asked for more than once.

        Raises:
            UsageError: there is no such row.
        """
        wanted = np.asarray(rows, np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < self.count):
            raise UsageError(f"{self.path} has rows 0 to {self.count - 1}. Received: {wanted.min()} to {wanted.max()}")
        return self._rows.take(wanted)

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in order, in blocks.

        The memory of a block is used again for a later one when nothing holds the block or a part of it any more, so
        a loop over a file of any size needs two blocks.

        Args:
            rows: in a block; what makes about 32 MiB without.

        Yields:
            ``(row, block)``: the number of the first row, and float32 (n, dim).
        """
        rows = min(rows or block_rows(self.shape), max(1, self.count))
        stored = Buffers((rows, *self.shape), self.dtype)
        wanted = np.dtype(np.float32)
        converted = Buffers((rows, self.dim), wanted)
        for start in range(0, self.count, rows):
            size = min(rows, self.count - start)
            block = stored.get(size)
            self._rows.fill(start, block)
            values = block.reshape(size, self.dim)
            if self.dtype != wanted:
                values = converted.get(size)
                np.copyto(values, block.reshape(size, self.dim), casting="unsafe")
            # Whoever asks for the next block does so while this function is at rest: it must hold nothing itself.
            del block
            yield start, values
            del values

    def stamps(self, start: int, stop: int) -> Stamps | None:
        """Sizes and times of change of the files of some images; ``None`` where the file does not keep them."""
        return self._stamps(start, stop) if self._stamps is not None else None

    def failed(self) -> Iterator[tuple[str, str]]:
        """The inputs that gave no vector, each with the reason."""
        return self._failed() if self._failed is not None else iter(())

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
