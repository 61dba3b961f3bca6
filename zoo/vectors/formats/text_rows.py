"""Numbers as text: written, and read once into files without a name, from which rows are taken as from others."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.core.errors import UnavailableError
from zoo.vectors.column import Column
from zoo.vectors.content import Content
from zoo.vectors.formats.companions import lines
from zoo.vectors.names import Names, to_line
from zoo.vectors.rows import ByteFile, RawRows, Rows

#: Significant digits that tell one number of so many bytes from all others.
_DIGITS = {2: 5, 4: 9, 8: 17}


def texts(content: Content, separator: str, columns: Sequence[Column]) -> Iterator[str]:
    """The rows of some columns side by side, as text from which the same numbers are read."""
    line = separator.join(_pattern(column.dtype) for column in columns for _ in range(column.size))
    for together in zip(*(_rows(content, column) for column in columns), strict=True):
        yield line % tuple(number for row in together for number in row)


def _rows(content: Content, column: Column) -> Iterator[list[Any]]:
    for block in content.blocks(column):
        # One after the other: a block as Python's numbers would take eight times the memory.
        for row in block.reshape(len(block), column.size):
            yield row.tolist()


def _pattern(dtype: np.dtype[Any]) -> str:
    return "%d" if dtype.kind in "iu" else f"%.{_DIGITS[dtype.itemsize]}g"


class Spool:
    """Rows and names on their way from a text into temporary files, which vanish when they are closed."""

    def __init__(self, path: Path, column: Column, closing: contextlib.ExitStack) -> None:
        """Make the files.

        Args:
            path: what is read; errors name it.
            column: of the rows.
            closing: closes the files.

        Raises:
            UnavailableError: they cannot be made; so for all that write.
        """
        self.path, self.column, self.count = path, column, 0
        with spooling(self.path):
            self._numbers: Any = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            self._names: Any = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115

    def add(self, numbers: Sequence[str], name: str | None = None) -> None:
        """Add a row.

        Raises:
            ValueError: they are no numbers, or not as many as there should be.
        """
        row = np.array(numbers, self.column.dtype) if len(numbers) else np.empty(0, self.column.dtype)
        if row.size != self.column.size:
            raise ValueError(f"{row.size} numbers where there should be {self.column.size}")
        with spooling(self.path):
            self._numbers.write(row.tobytes())
            if name is not None:
                self._names.write(to_line(name) + b"\n")
        self.count += 1

    def rows(self) -> Rows:
        """Reads the rows, when all have been added."""
        return RawRows(self._read(self._numbers), self.column.dtype, self.column.shape, self.count, 0)

    def names(self) -> Names:
        """Reads the names, when all have been added."""
        return lines(self._read(self._names))

    def _read(self, file: IO[bytes]) -> ByteFile:
        with spooling(self.path):
            file.flush()
        return ByteFile(self.path, file.raw)  # type: ignore[attr-defined]


@contextlib.contextmanager
def spooling(path: Path) -> Iterator[None]:
    """Turns what the folder for temporary files refuses into a sentence about the file that is read."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{path} is unpacked into {tempfile.gettempdir()}, which cannot be written: {error.strerror or error}; "
            "set TMPDIR to another folder, or make a .h5 or .npy file."
        ) from error
