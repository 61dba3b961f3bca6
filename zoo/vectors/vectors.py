"""Feature vectors on disk in any format, one for each image, read as they are needed."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np

from zoo.core.errors import UsageError, ZooError
from zoo.vectors.column import FEATURES, Column
from zoo.vectors.rows import Buffers, Rows, block_rows

#: Sizes in bytes and modification times in nanoseconds of the images' files, int64 (n,) each; -1 if unknown.
Stamps = tuple[np.ndarray, np.ndarray]

#: Raised by libraries for damaged files.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error)


@contextmanager
def reading(
    path: object,
    problem: str | Callable[[Exception], str] = "is damaged; write it again with 'zoo features'",
    *also: type[Exception],
) -> Iterator[None]:
    """Turns what a library raises for a damaged file into a UsageError with ``problem``; zoo's own errors pass."""
    try:
        yield
    except ZooError:
        raise
    except _DAMAGE + also as error:
        raise UsageError(f"{path} {problem if isinstance(problem, str) else problem(error)}.") from error


def first_line(error: Exception) -> str:
    """The message of an exception in one line, without its full stop."""
    text = str(error.args[0]) if error.args else ""
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__


class Vectors:
    """The vectors of one column of a file, and the paths of their images, read as needed; a context manager.

    ``about`` has the file's attributes, overridden by the column's; empty for a file that zoo did not write.
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
        """Called by formats; ``column`` (default: first) is the one that ``rows`` reads, ``norms`` are of the first."""
        if len(paths) != rows.count:
            raise UsageError(f"{path} has {rows.count} vectors and the names of {len(paths)} images; write it again.")
        self.path, self.paths = path, paths
        self.count, self.shape, self.dtype = rows.count, rows.shape, rows.dtype
        self.dim = math.prod(rows.shape)
        self.columns = tuple(columns) or (Column(FEATURES, rows.shape, rows.dtype),)
        self.column = column or self.columns[0]
        #: Attributes of the file without those of the column.
        self.file_about = dict(about or {})
        self.about = {**self.file_about, **self.column.attributes}
        self._rows, self._closing = rows, closing
        self._norms, self._stamps, self._failed = norms, stamps, failed

    @cached_property
    def norms(self) -> np.ndarray | None:
        """L2 norms of the rows as stored, float32 (count,); ``None`` if the file does not have them."""
        is_first = self.column is self.columns[0]
        return self._norms() if self._norms is not None and is_first else None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Rows as stored, (stop - start, *shape), in fresh memory."""
        if not 0 <= start <= stop <= self.count:
            raise UsageError(f"{self.path} has rows 0 to {self.count - 1}. Received: {start}:{stop}")
        values = np.empty((stop - start, *self.shape), self.dtype)
        self._rows.fill(start, values)
        return values

    def fill(self, start: int, out: np.ndarray) -> None:
        """Read rows from ``start`` on, as stored, into a C-contiguous array (n, *shape) of :attr:`dtype`."""
        self._rows.fill(start, out)

    def take(self, rows: np.ndarray | Sequence[int]) -> np.ndarray:
        """Rows as stored, in the order requested, (n, *shape); rows may repeat."""
        wanted = np.asarray(rows, np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < self.count):
            raise UsageError(f"{self.path} has rows 0 to {self.count - 1}. Received: {wanted.min()} to {wanted.max()}")
        return self._rows.take(wanted)

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """``(first row, float32 (n, dim))`` in order; default: of about 32 MiB.

        The memory of a block is reused when nothing refers to it any more: a loop needs two blocks.
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
            # A suspended generator must not hold a block itself.
            del block
            yield start, values
            del values

    def stamps(self, start: int, stop: int) -> Stamps | None:
        """Sizes and modification times of some images' files; ``None`` if the file does not have them."""
        return self._stamps(start, stop) if self._stamps is not None else None

    def failed(self) -> Iterator[tuple[str, str]]:
        """Path and error of each input without a vector."""
        return self._failed() if self._failed is not None else iter(())

    def close(self) -> None:
        """Close the file."""
        self._closing.close()

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
