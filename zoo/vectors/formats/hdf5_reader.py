"""Reading ``.h5`` files, of zoo's making (:mod:`zoo.vectors.formats.hdf5`) or of anybody's that have a dataset ``features``."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, PROBABILITIES, Choice, Column
from zoo.vectors.names import BLOCK, Names, decode, numbered
from zoo.vectors.rows import ByteFile, RawRows, Rows, gathered
from zoo.vectors.vectors import Stamps, Vectors, reading

if TYPE_CHECKING:
    import h5py

#: The attribute that names those whose values are JSON, because HDF5 has nothing like them.
AS_JSON = "json_attributes"


def open_file(path: Path, choice: Choice) -> Vectors:
    """Open a file, of zoo's or of anybody's that has a dataset ``features``.

    Raises:
        UsageError: it is damaged, no such file, or has no such layer.
    """
    with ExitStack() as closing:
        try:
            file = closing.enter_context(_open(path))
            return _opened(path, file, choice, closing)
        except UsageError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            # What HDF5 says is for those who know its insides.
            cut = "is cut short" if "truncated" in str(error) else "is damaged, or no HDF5 file of vectors"
            raise UsageError(f"{path} {cut}; make it anew with 'zoo features'.") from error


def _open(path: Path) -> h5py.File:
    import h5py

    try:
        # Locked as HDF5 likes it, because a process cannot have a file open in two ways.
        return h5py.File(path, "r")
    except OSError as error:
        if "lock" not in str(error):
            raise
        # Some file systems have no locks; and a file under its final name is not written any more.
        return h5py.File(path, "r", locking=False)


def _opened(path: Path, file: h5py.File, choice: Choice, closing: ExitStack) -> Vectors:
    columns = _columns(path, file)
    column = choice(columns)
    dataset = file[column.name]
    count = len(dataset)
    raw = ByteFile(path)
    closing.callback(raw.close)
    rows: Rows | None = _in_place(dataset, raw)
    paths = file.get("paths")
    if paths is not None and (paths.dtype.kind not in "OSU" or paths.ndim != 1):
        raise UsageError(f"'paths' in {path} holds no names, one for each vector.")
    stamped, normed = (
        all(name in file and file[name].shape == (count,) for name in names)
        for names in (("sizes", "mtimes"), ("norms",))
    )
    return Vectors(
        str(path),
        rows or _DatasetRows(dataset),
        numbered(count) if paths is None else Names(len(paths), partial(_strings, paths)),
        closing.pop_all(),
        about=_attributes(file.attrs),
        columns=columns,
        column=column,
        norms=partial(_norms, file) if normed and column is columns[0] else None,
        stamps=partial(_stamps, file) if stamped else None,
        failed=partial(_failed, file),
    )


def _columns(path: Path, file: h5py.File) -> list[Column]:
    """The columns of a file, ``features`` first.

    Raises:
        UsageError: there is none, or one that holds no numbers.
    """
    import h5py

    names = [name for name in file if isinstance(file[name], h5py.Dataset)]
    if FEATURES not in names:
        there = f"there is {', '.join(names)}" if names else "there is nothing"
        raise UsageError(f"{path} has no dataset '{FEATURES}'; {there}.")
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


def _in_place(dataset: h5py.Dataset, file: ByteFile) -> RawRows | None:
    """A way around HDF5, which is several times as fast, where the numbers lie in the file as they are."""
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
    # Chunks that lie one behind the other are one stretch.
    size = step * math.prod(shape) * dataset.dtype.itemsize
    first = np.r_[True, np.diff(offsets) != size]
    return RawRows(file, dataset.dtype, shape, count, offsets[first], starts[first])


class _DatasetRows:
    """Rows that only HDF5 can read: compressed, in another byte order, spread over files."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.count, self.shape = len(dataset), dataset.shape[1:]
        self.dtype = dataset.dtype.newbyteorder("=")

    def fill(self, start: int, out: np.ndarray) -> None:
        if out.size:
            with reading(self._dataset.file.filename):
                self._dataset.read_direct(out, np.s_[start : start + len(out)])

    def take(self, rows: np.ndarray) -> np.ndarray:
        return gathered(self, rows)


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


def _stamps(file: h5py.File, start: int, stop: int) -> Stamps:
    with reading(file.filename):
        return np.asarray(file["sizes"][start:stop], np.int64), np.asarray(file["mtimes"][start:stop], np.int64)


def _norms(file: h5py.File) -> np.ndarray:
    with reading(file.filename):
        return np.asarray(file["norms"], np.float32)


def _failed(file: h5py.File) -> Iterator[tuple[str, str]]:
    if "failed_paths" not in file or "failed_errors" not in file:
        return
    for start in range(0, len(file["failed_paths"]), BLOCK):
        stop = start + BLOCK
        yield from zip(
            _strings(file["failed_paths"], start, stop), _strings(file["failed_errors"], start, stop), strict=True
        )
