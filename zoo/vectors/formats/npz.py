"""``.npz``: an archive of arrays, which ``numpy.load`` opens.

Their names are those of the datasets of ``.h5`` (:mod:`zoo.vectors.formats.hdf5`); ``paths`` is an array of texts, as are
``failed_paths`` and ``failed_errors``, and what is known of the vectors is JSON in the text ``about``. Nothing is
compressed, so that numbers are read where they lie, and there are no dates: the same content gives the same bytes.
"""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, PROBABILITIES, Choice, Column
from zoo.vectors.content import Content
from zoo.vectors.formats import npy
from zoo.vectors.formats.text_tables import spooling
from zoo.vectors.names import BLOCK, Names, decode, encode, numbered
from zoo.vectors.rows import ByteFile, Rows
from zoo.vectors.vectors import Stamps, Vectors, reading

#: The first date that an archive can have.
_DATE = (1980, 1, 1, 0, 0, 0)


def write(content: Content, path: Path) -> list[Path]:
    """Write a file; it is the only one.

    Raises:
        OSError: it cannot be written.
    """
    columns = list(content.columns)
    with zipfile.ZipFile(path, "w") as archive:
        lengths = np.empty(0, np.float32)
        for column in columns:
            with _member(archive, column.name, (content.count, *column.shape), column.dtype) as file:
                written = npy.write_blocks(file, content, column)
            if column is columns[0]:
                lengths = written
        _write_texts(archive, "paths", lambda: (entry.path for entry in content.entries()))
        _write(archive, "norms", lengths)
        _write(archive, "sizes", np.fromiter((entry.size for entry in content.entries()), np.int64, content.count))
        _write(archive, "mtimes", np.fromiter((entry.mtime_ns for entry in content.entries()), np.int64, content.count))
        _write_texts(archive, "failed_paths", lambda: (path for path, _ in content.failures()))
        _write_texts(archive, "failed_errors", lambda: (error for _, error in content.failures()))
        about = {"about": dict(content.about), "columns": [column.as_dict() for column in columns]}
        _write(archive, "about", np.array(json.dumps(about)))
        classes = next((column.attributes.get("classes") for column in columns if column.name == PROBABILITIES), None)
        if classes is not None:
            _write_texts(archive, "classes", lambda: classes)
    return [path]


def belonging(path: Path) -> list[Path]:
    """The files that belong to one, and it."""
    return [path]


def open_file(path: Path, choice: Choice) -> Vectors:
    """Open a file, of zoo's or anybody's that has an array ``features``.

    Raises:
        UsageError: it is damaged, or has no such array or layer.
        UnavailableError: it is compressed, and the folder for temporary files is full.
    """
    with ExitStack() as closing:
        try:
            archive = _Archive(path, closing)
            columns, about = archive.describe()
            column = choice(columns)
            rows = archive.rows(column.name)
            if (rows.shape, rows.dtype) != (column.shape, column.dtype):
                raise ValueError(f"'{column.name}' is not what is said of it")
            return Vectors(
                str(path),
                rows,
                archive.texts("paths") if "paths" in archive.names else numbered(rows.count),
                closing.pop_all(),
                about=about,
                columns=columns,
                column=column,
                norms=partial(archive.array, "norms") if column is columns[0] and "norms" in archive.names else None,
                stamps=_stamps(archive),
                failed=_failures(archive),
            )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
            if isinstance(error, UsageError):
                raise
            reason = str(error.args[0]).splitlines()[0].rstrip(".") if error.args else type(error).__name__
            raise UsageError(f"{path} is damaged, or no archive of vectors: {reason}.") from error


class _Archive:
    """The arrays of an archive, each read where it lies."""

    def __init__(self, path: Path, closing: ExitStack) -> None:
        self._path, self._closing = path, closing
        self._zip = closing.enter_context(zipfile.ZipFile(path))
        self._file = ByteFile(path)
        closing.callback(self._file.close)
        self.names = {name.removesuffix(".npy") for name in self._zip.namelist()}

    def describe(self) -> tuple[list[Column], dict[str, Any]]:
        """The columns, and what is known of the vectors."""
        if "about" in self.names:
            text = json.loads(str(self.array("about")))
            return [Column.from_dict(column) for column in text["columns"]], dict(text["about"])
        if FEATURES not in self.names:
            raise UsageError(f"{self._path} has no array '{FEATURES}'; there is {', '.join(sorted(self.names))}.")
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

    def texts(self, name: str) -> Names:
        """An array of texts, read as they are needed."""
        file, offset, _, (shape, _, dtype) = self._find(name)
        if dtype.kind not in "US" or len(shape) != 1:
            raise ValueError(f"'{name}' holds no texts")

        def fetch(start: int, stop: int) -> list[str]:
            data = file.read(offset + start * dtype.itemsize, (stop - start) * dtype.itemsize)
            values = np.frombuffer(data, dtype).tolist() if data else [""] * (stop - start)
            return [decode(value) if isinstance(value, bytes) else value for value in values]

        return Names(shape[0], fetch)

    def _find(self, name: str) -> tuple[ByteFile, int, int, tuple[tuple[int, ...], bool, np.dtype[Any]]]:
        """Where an array's numbers are: the file, their beginning and end, and what its header says."""
        member = self._zip.getinfo(f"{name}.npy")
        with self._zip.open(member) as file:
            header = npy.read_header(file)
            length = file.tell()
        if member.compress_type == zipfile.ZIP_STORED:
            # The names stand between the fixed part of a member's head and its bytes.
            head = self._file.read(member.header_offset, 30)
            start = member.header_offset + 30 + sum(struct.unpack("<HH", head[26:]))
            return self._file, start + length, start + member.file_size, header
        return self._unpacked(member), length, member.file_size, header

    def _unpacked(self, member: zipfile.ZipInfo) -> ByteFile:
        """A compressed member as a file, which vanishes when it is closed."""
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
    """A new array of an archive, to whose header the numbers are added."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as file:
        npy.write_header(file, shape, dtype)
        yield file


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Write a small array."""
    with _member(archive, name, array.shape, array.dtype) as file:
        file.write(array.tobytes())


def _write_texts(archive: zipfile.ZipFile, name: str, texts: Callable[[], Iterable[str]]) -> None:
    """Write texts, which are asked for twice: an array has room for its longest in each place."""
    longest = max((len(decode(encode(text))) for text in texts()), default=0)
    count = sum(1 for _ in texts())
    dtype = np.dtype(("U", max(1, longest)))
    with _member(archive, name, (count,), dtype) as file:
        rest = iter(texts())
        while block := [decode(encode(text)) for text in islice(rest, BLOCK)]:
            file.write(np.array(block, dtype).tobytes())


def _stamps(archive: _Archive) -> Callable[[int, int], Stamps] | None:
    """Reads sizes and times, both at once when the first are asked for."""
    if not archive.names >= {"sizes", "mtimes"}:
        return None

    @cache
    def both() -> Stamps:
        return archive.array("sizes"), archive.array("mtimes")

    return lambda start, stop: (both()[0][start:stop], both()[1][start:stop])


def _failures(archive: _Archive) -> Callable[[], Iterator[tuple[str, str]]] | None:
    """Reads the inputs without rows."""
    if not archive.names >= {"failed_paths", "failed_errors"}:
        return None
    paths, errors = archive.texts("failed_paths"), archive.texts("failed_errors")
    return lambda: zip(paths, errors, strict=True)
