"""Numbers as text: written so that the same numbers are read, and read once into temporary files."""

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
from zoo.vectors.formats.sidecars import lines
from zoo.vectors.names import Names, to_line
from zoo.vectors.rows import ByteFile, RawRows, Rows

#: Significant digits that distinguish numbers of so many bytes.
_DIGITS = {2: 5, 4: 9, 8: 17}


def texts(content: Content, separator: str, columns: Sequence[Column]) -> Iterator[str]:
    """The rows of some columns side by side as text."""
    line = separator.join(
        "%d" if column.dtype.kind in "iu" else f"%.{_DIGITS[column.dtype.itemsize]}g"
        for column in columns
        for _ in range(column.size)
    )
    for together in zip(*(_rows(content, column) for column in columns), strict=True):
        yield line % tuple(number for row in together for number in row)


def _rows(content: Content, column: Column) -> Iterator[list[Any]]:
    for block in content.blocks(column):
        # Row by row: a block as Python numbers would take eight times the memory.
        for row in block.reshape(len(block), column.size):
            yield row.tolist()


class Spool:
    """Rows and names read from text into temporary files, which are removed when they are closed."""

    def __init__(self, path: Path, column: Column, closing: contextlib.ExitStack) -> None:
        """Create the files."""
        self.path, self.column, self.count = path, column, 0
        with spooling(path):
            self._numbers: Any = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
            self._names: Any = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115

    def add(self, numbers: Sequence[str], name: str | None = None) -> None:
        """Add a row; ValueError if they are not numbers, or not the right count."""
        row = np.array(numbers, self.column.dtype) if len(numbers) else np.empty(0, self.column.dtype)
        if row.size != self.column.size:
            raise ValueError(f"{row.size} numbers where there should be {self.column.size}")
        with spooling(self.path):
            self._numbers.write(row.tobytes())
            if name is not None:
                self._names.write(to_line(name) + b"\n")
        self.count += 1

    def rows(self) -> Rows:
        """All rows added."""
        return RawRows(self._read(self._numbers), self.column.dtype, self.column.shape, self.count, 0)

    def names(self) -> Names:
        """All names added."""
        return lines(self._read(self._names))

    def _read(self, file: IO[bytes]) -> ByteFile:
        with spooling(self.path):
            file.flush()
        return ByteFile(self.path, file.raw)  # type: ignore[attr-defined]


@contextlib.contextmanager
def spooling(path: Path) -> Iterator[None]:
    """Turns an OSError of the folder for temporary files into an error about the file that is read."""
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{path} is unpacked into {tempfile.gettempdir()}, which cannot be written: {error.strerror or error}; "
            "set TMPDIR to another folder, or use a .h5 or .npy file."
        ) from error
