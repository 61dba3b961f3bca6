"""``.npy``: the numbers as NumPy maps them into memory, and beside them what else there is to know.

``f.npy`` has the first column and ``f.NAME.npy`` each further one; ``f.paths.txt`` the names of the images, one a
line (:func:`zoo.vectors.names.to_line` says what becomes of names with line breaks). ``f.about.json`` and
``f.rows.npy`` are described in :mod:`zoo.vectors.formats.companions`. All but the first may be missing.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Choice, Column
from zoo.vectors.content import Content, norms
from zoo.vectors.formats import companions
from zoo.vectors.names import numbered
from zoo.vectors.rows import ByteFile, RawRows, Rows
from zoo.vectors.vectors import Vectors


def beside(path: Path, ending: str) -> Path:
    """A file that belongs to ``f.npy``: ``f.ENDING``."""
    return path.with_name(f"{path.stem}.{ending}")


def open_file(path: Path, choice: Choice) -> Vectors:
    """Open a file, alone or with those that belong to it.

    Raises:
        UsageError: one of them is damaged or does not belong to the others, or there is no such layer.
    """
    about = companions.read(beside(path, "about.json"))
    with ExitStack() as closing:
        first = _open(path, closing)
        columns = about.columns if about else [Column(FEATURES, first.shape, first.dtype)]
        column = choice(columns)
        rows = first if column is columns[0] else _open(beside(path, f"{column.name}.npy"), closing)
        names = beside(path, "paths.txt")
        paths = companions.open_names(names, closing) if names.exists() else numbered(rows.count)
        if about and (about.count, column.shape, column.dtype) != (rows.count, rows.shape, rows.dtype):
            raise UsageError(f"{about.path} was not made with {path}, which has other vectors; remove it.")
        if len(paths) != rows.count:
            raise UsageError(f"{names} has {len(paths)} lines and {path} {rows.count} vectors; make them anew.")
        stamps = companions.open_rows(beside(path, "rows.npy"), rows.count) if about else None
        return Vectors(
            str(path),
            rows,
            paths,
            closing.pop_all(),
            about=about.about if about else {},
            columns=columns,
            column=column,
            norms=stamps.norms if stamps and column is columns[0] else None,
            stamps=stamps.read if stamps else None,
            failed=about.failures if about else None,
        )


def write(content: Content, path: Path) -> list[Path]:
    """Write a file and those that belong to it, of which it is the last.

    Raises:
        OSError: one cannot be written.
    """
    first, *further = content.columns
    written = [beside(path, f"{column.name}.npy") for column in further]
    for column, file in zip(further, written, strict=True):
        _write(file, content, column)
    lengths = _write(path, content, first)
    companions.write_names(beside(path, "paths.txt"), content)
    companions.write_about(beside(path, "about.json"), content)
    companions.write_rows(beside(path, "rows.npy"), content, lengths)
    return [*written, *(beside(path, ending) for ending in ("paths.txt", "about.json", "rows.npy")), path]


def belonging(path: Path) -> list[Path]:
    """The files that belong to one, and it.

    Raises:
        UsageError: ``f.about.json`` is damaged.
    """
    about = companions.read(beside(path, "about.json"))
    columns = [f"{column.name}.npy" for column in about.columns[1:]] if about else []
    endings = [*columns, "paths.txt", *(("about.json", "rows.npy") if about else ())]
    return [*(file for file in (beside(path, ending) for ending in endings) if file.exists()), path]


def _write(path: Path, content: Content, column: Column) -> np.ndarray:
    """Write one array; the norms of its rows, float32 (n,)."""
    with open(path, "wb") as file:
        write_header(file, (content.count, *column.shape), column.dtype)
        return write_blocks(file, content, column)


def write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write what stands before the numbers."""
    header = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(file, header)


def write_blocks(file: IO[bytes], content: Content, column: Column) -> np.ndarray:
    """Write the numbers of a column; the norms of its rows, float32 (n,)."""
    lengths = [np.empty(0, np.float32)]
    for block in content.blocks(column):
        if block.size:
            file.write(block.data)
        lengths.append(norms(block))
    return np.concatenate(lengths)


def _open(path: Path, closing: ExitStack) -> Rows:
    """The array in a file.

    Raises:
        UsageError: it is damaged, or holds no vectors.
    """
    try:
        with open(path, "rb") as file:
            shape, fortran, dtype = read_header(file)
            offset = file.tell()
        content = ByteFile(path)
        closing.callback(content.close)
        return rows_in(content, str(path), shape, dtype, offset, content.size, fortran=fortran)
    except (OSError, ValueError, EOFError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} is damaged, or no NumPy array: {str(error).splitlines()[0]}.") from error


def rows_in(
    file: ByteFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int, end: int, *, fortran: bool
) -> Rows:
    """The rows of an array whose numbers begin at ``offset`` in a file and end at ``end`` at the latest.

    Raises:
        UsageError: it holds no vectors, or is cut short.
    """
    if dtype.kind not in "fiu" or len(shape) < 2:
        raise UsageError(f"{name} holds no vectors of numbers, one for each image, but {dtype} of shape {shape}.")
    size = math.prod(shape) * dtype.itemsize
    if end - offset < size:
        raise UsageError(f"{name} is cut short: {size} bytes of numbers are announced and {end - offset} are there.")
    if size and (fortran or not dtype.isnative):
        return _MappedRows(np.memmap(file.raw, dtype, "r", offset, shape, "F" if fortran else "C"))
    return RawRows(file, dtype.newbyteorder("="), shape[1:], shape[0], offset)


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and dtype of the array that begins here; the file then stands behind them.

    Raises:
        ValueError: no array begins here, or it would have to be unpickled.
    """
    version = npy_format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, fortran, dtype


class _MappedRows:
    """Rows whose numbers lie in another order than they are asked for."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.count, self.shape, self.dtype = len(values), values.shape[1:], values.dtype.newbyteorder("=")

    def fill(self, start: int, out: np.ndarray) -> None:
        np.copyto(out, self._values[start : start + len(out)])

    def take(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self._values[rows], self.dtype)
