"""``.h5``: one HDF5 file with a dataset for each column.

``features`` (images, …) and further columns; ``paths``, ``norms``, ``sizes`` and ``mtimes`` for each image;
``failed_paths`` and ``failed_errors``; ``classes`` with ``probabilities``. Attributes are those of the file and of the
datasets. There are no dates in the file: the same content gives the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, PROBABILITIES, Column, ColumnChoice
from zoo.vectors.content import BLOCK_BYTES, Content, batched, norms
from zoo.vectors.names import BLOCK, Names, decode, encode, numbered
from zoo.vectors.rows import ByteFile, RawRows, Rows
from zoo.vectors.vectors import Stamps, Vectors, reading

if TYPE_CHECKING:
    import h5py

#: The attribute that lists those encoded as JSON, because HDF5 has no such type.
AS_JSON = "json_attributes"
#: Bytes of a chunk, which has whole rows; a larger row is a chunk by itself.
CHUNK = 1 << 20


def write(content: Content, path: Path) -> list[Path]:
    """Write a file."""
    import h5py

    with h5py.File(path, "w", locking=False) as file:
        _write_attributes(file.attrs, content.about)
        for column in content.columns:
            _write_column(file, content, column)
        _write_entries(file, content)
        _write_failures(file, content)
    return [path]


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Open a file of zoo, or any with a dataset ``features``."""

    def problem(error: Exception) -> str:
        # HDF5's own messages are about its internals.
        cut = "is cut short" if "truncated" in str(error) else "is damaged, or not an HDF5 file of vectors"
        return f"{cut}; write it again with 'zoo features'"

    with ExitStack() as closing, reading(path, problem):
        return _opened(path, closing.enter_context(_open(path)), choose, closing)


def _write_column(file: h5py.File, content: Content, column: Column) -> None:
    dataset = _growing(file, column.name, content.count, column.dtype, column.shape)
    attributes = dict(column.attributes)
    if column.name == PROBABILITIES and "classes" in attributes:
        classes = [encode(name) for name in attributes.pop("classes")]
        file.create_dataset("classes", data=np.array(classes, object), dtype=_text())
    _write_attributes(dataset.attrs, attributes)
    lengths = None
    if column is content.columns[0]:
        lengths = _growing(file, "norms", content.count, np.dtype(np.float32))
    row = 0
    # Whole chunks, so that none is written twice.
    for block in content.blocks(column, dataset.chunks[0] * (BLOCK_BYTES // CHUNK)):
        dataset[row : row + len(block)] = block
        if lengths is not None:
            lengths[row : row + len(block)] = norms(block)
        row += len(block)


def _write_entries(file: h5py.File, content: Content) -> None:
    paths = _growing(file, "paths", content.count, _text())
    sizes = _growing(file, "sizes", content.count, np.dtype(np.int64))
    times = _growing(file, "mtimes", content.count, np.dtype(np.int64))
    row = 0
    for entries in batched(content.entries(), BLOCK):
        part = slice(row, row + len(entries))
        paths[part] = np.array([encode(entry.path) for entry in entries], object)
        sizes[part] = [entry.size for entry in entries]
        times[part] = [entry.mtime_ns for entry in entries]
        row += len(entries)


def _write_failures(file: h5py.File, content: Content) -> None:
    # How many failed is known only at the end.
    failed = [_growing(file, name, 0, _text()) for name in ("failed_paths", "failed_errors")]
    failures = content.failures()
    while block := list(islice(failures, BLOCK)):
        row = len(failed[0])
        for dataset, texts in zip(failed, zip(*block, strict=True), strict=True):
            dataset.resize(row + len(block), 0)
            dataset[row:] = np.array([encode(text) for text in texts], object)


def _growing(file: h5py.File, name: str, count: int, dtype: np.dtype[Any], shape: tuple[int, ...] = ()) -> h5py.Dataset:
    """A dataset (count, *shape) to which rows can be added."""
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    rows = max(1, min(CHUNK // max(1, size), max(count, 16)))
    # HDF5 takes no empty chunk.
    chunk = (rows, *(max(1, length) for length in shape))
    limit = (None, *(length or None for length in shape))
    return file.create_dataset(name, (count, *shape), dtype, chunks=chunk, maxshape=limit, track_times=False)


def _text() -> Any:
    import h5py

    return h5py.string_dtype("utf-8")


def _write_attributes(attributes: h5py.AttributeManager, values: Mapping[str, Any]) -> None:
    """Strings, numbers and booleans as they are, everything else as JSON."""
    encoded = []
    for name, value in values.items():
        if isinstance(value, str):
            attributes.create(name, encode(value), dtype=_text())
        elif isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 63):
            attributes[name] = value
        else:
            attributes[name] = json.dumps(value)
            encoded.append(name)
    if encoded:
        attributes[AS_JSON] = encoded


def _open(path: Path) -> h5py.File:
    import h5py

    try:
        # With HDF5's locking, because a process cannot have a file open both ways.
        return h5py.File(path, "r")
    except OSError as error:
        if "lock" not in str(error):
            raise
        # Some file systems have no locks; a file under its final name is not written any more.
        return h5py.File(path, "r", locking=False)


def _opened(path: Path, file: h5py.File, choose: ColumnChoice, closing: ExitStack) -> Vectors:
    columns = _columns(path, file)
    column = choose(columns)
    dataset = file[column.name]
    count = len(dataset)
    raw = ByteFile(path)
    closing.callback(raw.close)
    paths = file.get("paths")
    if paths is not None and (paths.dtype.kind not in "OSU" or paths.ndim != 1):
        raise UsageError(f"'paths' in {path} holds no names, one for each vector.")

    def has(*names: str) -> bool:
        return all(name in file and file[name].shape == (count,) for name in names)

    def stamps(start: int, stop: int) -> Stamps:
        sizes, times = _numbers(file, np.int64, start, stop, "sizes", "mtimes")
        return sizes, times

    return Vectors(
        str(path),
        _raw_rows(dataset, raw) or _DatasetRows(dataset),
        numbered(count) if paths is None else Names(len(paths), partial(_strings, paths)),
        closing.pop_all(),
        about=_attributes(file.attrs),
        columns=columns,
        column=column,
        norms=(lambda: _numbers(file, np.float32, 0, count, "norms")[0]) if has("norms") else None,
        stamps=stamps if has("sizes", "mtimes") else None,
        failed=partial(_failed, file),
    )


def _columns(path: Path, file: h5py.File) -> list[Column]:
    """The columns of a file, ``features`` first."""
    import h5py

    names = [name for name in file if isinstance(file[name], h5py.Dataset)]
    if FEATURES not in names:
        present = f"It has {', '.join(names)}" if names else "It is empty"
        raise UsageError(f"{path} has no dataset '{FEATURES}'. {present}.")
    further = sorted(name for name in names if name.startswith(f"{FEATURES}_"))
    columns = []
    for name in [FEATURES, *further, *([PROBABILITIES] if PROBABILITIES in names else [])]:
        dataset = file[name]
        if dataset.dtype.kind not in "fiu" or dataset.ndim < 2:
            raise UsageError(f"'{name}' in {path} holds no vectors of numbers, one for each image.")
        attributes = _attributes(dataset.attrs)
        if name == PROBABILITIES and "classes" in file:
            attributes["classes"] = _strings(file["classes"], 0, len(file["classes"]))
        columns.append(Column(name, dataset.shape[1:], dataset.dtype, attributes))
    return columns


def _raw_rows(dataset: h5py.Dataset, file: ByteFile) -> RawRows | None:
    """Reads around HDF5, which is several times as fast, if the numbers are stored as in memory."""
    shape, count = dataset.shape[1:], len(dataset)
    if not dataset.size or dataset.compression or dataset.external or dataset.is_virtual:
        return None
    if dataset.file.userblock_size or not dataset.dtype.isnative or dataset.id.get_create_plist().get_nfilters():
        return None
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        return None if offset is None else RawRows(file, dataset.dtype, shape, count, offset)
    if dataset.chunks[1:] != shape:
        return None
    step = dataset.chunks[0]
    starts = np.arange(0, count, step)
    corner = (0,) * len(shape)
    places = [dataset.id.get_chunk_info_by_coord((int(start), *corner)).byte_offset for start in starts]
    if None in places:
        return None
    offsets = np.array(places, np.int64)
    # Adjacent chunks are one extent.
    size = step * math.prod(shape) * dataset.dtype.itemsize
    first = np.r_[True, np.diff(offsets) != size]
    return RawRows(file, dataset.dtype, shape, count, offsets[first], starts[first])


class _DatasetRows(Rows):
    """Rows that only HDF5 can read: compressed, in another byte order, or in several files."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.count, self.shape = len(dataset), dataset.shape[1:]
        self.dtype = dataset.dtype.newbyteorder("=")

    def fill(self, start: int, out: np.ndarray) -> None:
        if out.size:
            with reading(self._dataset.file.filename):
                self._dataset.read_direct(out, np.s_[start : start + len(out)])


def _attributes(attributes: h5py.AttributeManager) -> dict[str, Any]:
    """Attributes as plain Python values."""
    import h5py

    encoded = set(np.atleast_1d(attributes.get(AS_JSON, [])).tolist())
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if name == AS_JSON:
            continue
        plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        text = decode(plain) if isinstance(plain, bytes) else plain
        values[name] = json.loads(text) if name in encoded else None if isinstance(value, h5py.Empty) else text
    return values


def _strings(dataset: h5py.Dataset, start: int, stop: int) -> list[str]:
    with reading(dataset.file.filename):
        return [decode(value) if isinstance(value, bytes) else str(value) for value in dataset[start:stop]]


def _numbers(file: h5py.File, dtype: type[Any], start: int, stop: int, *names: str) -> tuple[np.ndarray, ...]:
    with reading(file.filename):
        return tuple(np.asarray(file[name][start:stop], dtype) for name in names)


def _failed(file: h5py.File) -> Iterator[tuple[str, str]]:
    paths, errors = file.get("failed_paths"), file.get("failed_errors")
    if paths is None or errors is None:
        return
    for start in range(0, len(paths), BLOCK):
        yield from zip(_strings(paths, start, start + BLOCK), _strings(errors, start, start + BLOCK), strict=True)
