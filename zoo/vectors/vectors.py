"""Feature vectors on disk in any format, one for each image, read as they are needed."""

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
from zoo.vectors.column import FEATURES, Column
from zoo.vectors.rows import Buffers, Rows, block_rows

#: Sizes in bytes and modification times in nanoseconds of the images' files, int64 (n,) each; -1 if unknown.
Stamps = tuple[np.ndarray, np.ndarray]

#: Raised by libraries for damaged files.
_DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    BadZipFile,
    zlib.error,
)


@contextmanager
def reading(
    path: object,
    problem: str | Callable[[Exception], str] = "is damaged; write it again with 'zoo features'",
    *also: type[Exception],
) -> Iterator[None]:
    """Turns what a library raises for a damaged file into a UsageError; zoo's own errors pass.

    Args:
        path: the file.
        problem: the rest of the sentence, or a function that makes it of the error.
        also: further exceptions of the library.
    """
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
    """The vectors of one column of a file, and the paths of their images; a context manager.

    Attributes:
        path: the file or folder.
        about: attributes: ``model``, ``layer``, ``pool``, ``preprocessing``, ``weights_digest``, …; empty for a file
            that zoo did not write. Those of the column override those of the file.
        columns: of the file.
        column: the one that is read.
        count: images.
        shape: of a row.
        dim: numbers in a row.
        dtype: as stored.
        paths: of the images, read as they are needed.
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
        """Called by formats.

        Args:
            path: the file.
            rows: reads the numbers.
            paths: as many as rows.
            closing: closes what is open.
            about: attributes of the file.
            columns: of the file; default: ``features`` alone.
            column: the one that ``rows`` reads; default: the first.
            norms: reads the stored norms of the first column, if there are any.
            stamps: reads sizes and modification times of some images' files, if there are any.
            failed: reads the inputs without vectors.
        """
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
        """Rows as stored, (stop - start, *shape), in fresh memory.

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
        """Read rows from ``start`` on, as stored, into a C-contiguous array (n, *shape) of :attr:`dtype`."""
        self._rows.fill(start, out)

    def take(self, rows: np.ndarray | Sequence[int]) -> np.ndarray:
        """Rows as stored, in the order requested, (n, *shape); rows may repeat.

        Raises:
            UsageError: there is no such row.
        """
        wanted = np.asarray(rows, np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < self.count):
            raise UsageError(f"{self.path} has rows 0 to {self.count - 1}. Received: {wanted.min()} to {wanted.max()}")
        return self._rows.take(wanted)

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in order, in blocks of ``rows``; default: of about 32 MiB.

        The memory of a block is reused when nothing refers to it any more: a loop needs two blocks.

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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
