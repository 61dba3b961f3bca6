"""``.npy``: the numbers of the first column, with sidecars.

``f.NAME.npy`` has each further column, ``f.paths.txt``, ``f.about.json`` and ``f.rows.npy`` are
:mod:`~zoo.vectors.formats.sidecars`. All but the first file may be missing.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Column, ColumnChoice
from zoo.vectors.content import Content, norms
from zoo.vectors.formats import sidecars
from zoo.vectors.names import numbered
from zoo.vectors.rows import ByteFile, RawRows, Rows
from zoo.vectors.vectors import Vectors, first_line, reading


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Open a file, alone or with its sidecars."""
    about = sidecars.read_about(_beside(path, "about.json"))
    with ExitStack() as closing:
        first = _open(path, closing)
        columns = about.columns if about else [Column(FEATURES, first.shape, first.dtype)]
        column = choose(columns)
        rows = first if column is columns[0] else _open(_beside(path, f"{column.name}.npy"), closing)
        names = _beside(path, "paths.txt")
        paths = sidecars.open_names(names, closing) if names.exists() else numbered(rows.count)
        if about and (about.count, column.shape, column.dtype) != (rows.count, rows.shape, rows.dtype):
            raise UsageError(f"{about.path} was not made with {path}, which has other vectors; remove it.")
        if len(paths) != rows.count:
            raise UsageError(f"{names} has {len(paths)} lines and {path} {rows.count} vectors; write them again.")
        return sidecars.assemble(path, rows, paths, closing, columns, column, about, _beside(path, "rows.npy"))


def write(content: Content, path: Path) -> list[Path]:
    """Write a file, those of further columns, and the sidecars."""
    first, *further = content.columns
    written = [_beside(path, f"{column.name}.npy") for column in further]
    lengths = np.empty(0, np.float32)
    for column, name in zip([*further, first], [*written, path], strict=True):
        with open(name, "wb") as file:
            write_header(file, (content.count, *column.shape), column.dtype)
            lengths = write_blocks(file, content, column)
    names, about, rows = (_beside(path, ending) for ending in ("paths.txt", "about.json", "rows.npy"))
    sidecars.write_names(names, content)
    sidecars.write(content, about, rows, lengths)
    return [*written, names, about, rows, path]


def files(path: Path) -> list[Path]:
    """The existing files that belong together."""
    about = sidecars.read_about(_beside(path, "about.json"))
    columns = [f"{column.name}.npy" for column in about.columns[1:]] if about else []
    endings = [*columns, "paths.txt", *(("about.json", "rows.npy") if about else ())]
    return [*(file for file in (_beside(path, ending) for ending in endings) if file.exists()), path]


def write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write the header of an array."""
    header = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(file, header)


def write_blocks(file: IO[bytes], content: Content, column: Column) -> np.ndarray:
    """Write the numbers of a column; returns the norms of its rows, float32 (n,)."""
    lengths = [np.empty(0, np.float32)]
    for block in content.blocks(column):
        if block.size:
            file.write(block.data)
        lengths.append(norms(block))
    return np.concatenate(lengths)


def rows_in(
    file: ByteFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int, end: int, *, fortran: bool
) -> Rows:
    """The rows of an array whose numbers begin at ``offset`` in a file, which has them up to ``end`` at most."""
    if dtype.kind not in "fiu" or len(shape) < 2:
        raise UsageError(f"{name} holds no vectors of numbers, one for each image, but {dtype} of shape {shape}.")
    size = math.prod(shape) * dtype.itemsize
    if end - offset < size:
        raise UsageError(f"{name} is cut short: it should have {size} bytes of numbers and has {end - offset}.")
    if size and (fortran or not dtype.isnative):
        return _MappedRows(np.memmap(file.raw, dtype, "r", offset, shape, "F" if fortran else "C"))
    return RawRows(file, dtype.newbyteorder("="), shape[1:], shape[0], offset)


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and dtype of the array that begins here; ValueError if none, or if it would be unpickled."""
    version = npy_format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, fortran, dtype


def _beside(path: Path, ending: str) -> Path:
    """``f.ENDING`` beside ``f.npy``."""
    return path.with_name(f"{path.stem}.{ending}")


def _open(path: Path, closing: ExitStack) -> Rows:
    with reading(path, lambda error: f"is damaged, or not a NumPy array: {first_line(error)}"):
        with open(path, "rb") as file:
            shape, fortran, dtype = read_header(file)
            offset = file.tell()
        content = ByteFile(path)
        closing.callback(content.close)
        return rows_in(content, str(path), shape, dtype, offset, content.size, fortran=fortran)


class _MappedRows(Rows):
    """Rows in Fortran order or another byte order."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.count, self.shape, self.dtype = len(values), values.shape[1:], values.dtype.newbyteorder("=")

    def fill(self, start: int, out: np.ndarray) -> None:
        np.copyto(out, self._values[start : start + len(out)])

    def take(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self._values[rows], self.dtype)
