"""``.npz``: an archive of arrays that ``numpy.load`` opens.

Arrays have the names of the datasets of :mod:`~zoo.vectors.formats.hdf5`; ``paths``, ``failed_paths`` and
``failed_errors`` are arrays of strings, and attributes are JSON in the string ``about``. Nothing is compressed, so that
numbers are read in place, and there are no dates: the same content gives the same bytes.
"""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, PROBABILITIES, Column, ColumnChoice
from zoo.vectors.content import Content
from zoo.vectors.formats import npy
from zoo.vectors.formats.text_rows import spooling
from zoo.vectors.names import BLOCK, Names, decode, encode, numbered
from zoo.vectors.rows import ByteFile, Rows
from zoo.vectors.vectors import Stamps, Vectors, first_line, reading

#: The first date that an archive can have.
_DATE = (1980, 1, 1, 0, 0, 0)


def write(content: Content, path: Path) -> list[Path]:
    """Write a file."""
    columns = list(content.columns)
    with zipfile.ZipFile(path, "w") as archive:
        lengths = []
        for column in columns:
            with _member(archive, column.name, (content.count, *column.shape), column.dtype) as file:
                lengths.append(npy.write_blocks(file, content, column))
        _write_strings(archive, "paths", lambda: (entry.path for entry in content.entries()))
        _write(archive, "norms", lengths[0])
        _write(archive, "sizes", np.fromiter((entry.size for entry in content.entries()), np.int64, content.count))
        _write(archive, "mtimes", np.fromiter((entry.mtime_ns for entry in content.entries()), np.int64, content.count))
        _write_strings(archive, "failed_paths", lambda: (path for path, _ in content.failures()))
        _write_strings(archive, "failed_errors", lambda: (error for _, error in content.failures()))
        about = {"about": dict(content.about), "columns": [column.as_dict() for column in columns]}
        _write(archive, "about", np.array(json.dumps(about)))
        classes = next((column.attributes.get("classes") for column in columns if column.name == PROBABILITIES), None)
        if classes is not None:
            _write_strings(archive, "classes", lambda: classes)
    return [path]


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Open a file of zoo, or any with an array ``features``."""
    problem = "is damaged, or not an archive of vectors"
    with ExitStack() as closing, reading(path, lambda error: f"{problem}: {first_line(error)}"):
        archive = _Archive(path, closing)
        columns, about = archive.describe()
        column = choose(columns)
        rows = archive.rows(column.name)
        if (rows.shape, rows.dtype) != (column.shape, column.dtype):
            raise ValueError(f"'{column.name}' differs from its description")
        return Vectors(
            str(path),
            rows,
            archive.strings("paths") if "paths" in archive.names else numbered(rows.count),
            closing.pop_all(),
            about=about,
            columns=columns,
            column=column,
            norms=partial(archive.array, "norms") if "norms" in archive.names else None,
            stamps=archive.stamps if archive.names >= {"sizes", "mtimes"} else None,
            failed=archive.failures(),
        )


class _Archive:
    """The arrays of an archive, each read in place."""

    def __init__(self, path: Path, closing: ExitStack) -> None:
        self._path, self._closing = path, closing
        self._zip = closing.enter_context(zipfile.ZipFile(path))
        self._file = ByteFile(path)
        closing.callback(self._file.close)
        self.names = {name.removesuffix(".npy") for name in self._zip.namelist()}
        # Read as a whole when they are first needed.
        self._stamps = cache(lambda: (self.array("sizes"), self.array("mtimes")))

    def describe(self) -> tuple[list[Column], dict[str, Any]]:
        """The columns, and the attributes."""
        if "about" in self.names:
            text = json.loads(str(self.array("about")))
            return [Column.from_dict(column) for column in text["columns"]], dict(text["about"])
        if FEATURES not in self.names:
            raise UsageError(f"{self._path} has no array '{FEATURES}'. It has {', '.join(sorted(self.names))}.")
        further = sorted(name for name in self.names if name.startswith(f"{FEATURES}_"))
        rows = [(name, self.rows(name)) for name in [FEATURES, *further]]
        return [Column(name, array.shape, array.dtype) for name, array in rows], {}

    def rows(self, name: str) -> Rows:
        """The rows of an array."""
        file, offset, end, (shape, fortran, dtype) = self._find(name)
        return npy.rows_in(file, f"'{name}' in {self._path}", shape, dtype, offset, end, fortran=fortran)

    def array(self, name: str) -> np.ndarray:
        """A small array as a whole."""
        with reading(self._path), self._zip.open(f"{name}.npy") as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return array

    def strings(self, name: str) -> Names:
        """An array of strings, read as they are needed."""
        file, offset, _, (shape, _, dtype) = self._find(name)
        if dtype.kind not in "US" or len(shape) != 1:
            raise ValueError(f"'{name}' holds no strings")

        def fetch(start: int, stop: int) -> list[str]:
            data = file.read(offset + start * dtype.itemsize, (stop - start) * dtype.itemsize)
            values = np.frombuffer(data, dtype).tolist() if data else [""] * (stop - start)
            return [decode(value) if isinstance(value, bytes) else value for value in values]

        return Names(shape[0], fetch)

    def stamps(self, start: int, stop: int) -> Stamps:
        """Sizes and modification times of some images' files."""
        sizes, times = self._stamps()
        return sizes[start:stop], times[start:stop]

    def failures(self) -> Callable[[], Iterator[tuple[str, str]]] | None:
        """Reads the inputs without rows."""
        if not self.names >= {"failed_paths", "failed_errors"}:
            return None
        paths, errors = self.strings("failed_paths"), self.strings("failed_errors")
        return lambda: zip(paths, errors, strict=True)

    def _find(self, name: str) -> tuple[ByteFile, int, int, tuple[tuple[int, ...], bool, np.dtype[Any]]]:
        """The file, offset and end of an array's numbers, and its header."""
        member = self._zip.getinfo(f"{name}.npy")
        with self._zip.open(member) as file:
            header = npy.read_header(file)
            length = file.tell()
        if member.compress_type == zipfile.ZIP_STORED:
            # The local header has 30 bytes and two names of variable length.
            head = self._file.read(member.header_offset, 30)
            start = member.header_offset + 30 + sum(struct.unpack("<HH", head[26:]))
            return self._file, start + length, start + member.file_size, header
        return self._unpacked(member), length, member.file_size, header

    def _unpacked(self, member: zipfile.ZipInfo) -> ByteFile:
        """A compressed member as a temporary file."""
        with spooling(self._path):
            whole: Any = self._closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        with self._zip.open(member) as file:
            while block := file.read(1 << 20):
                with spooling(self._path):
                    whole.write(block)
        with spooling(self._path):
            whole.flush()
        return ByteFile(self._path, whole.raw)


@contextmanager
def _member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[IO[bytes]]:
    """A new array with its header, to which the numbers are added."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as file:
        npy.write_header(file, shape, dtype)
        yield file


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with _member(archive, name, array.shape, array.dtype) as file:
        file.write(array.tobytes())


def _write_strings(archive: zipfile.ZipFile, name: str, strings: Callable[[], Iterable[str]]) -> None:
    """Write strings, which are iterated repeatedly: all items of an array are as long as the longest."""
    longest = max((len(decode(encode(text))) for text in strings()), default=0)
    dtype = np.dtype(("U", max(1, longest)))
    with _member(archive, name, (sum(1 for _ in strings()),), dtype) as file:
        rest = iter(strings())
        while block := [decode(encode(text)) for text in islice(rest, BLOCK)]:
            file.write(np.array(block, dtype).tobytes())
