"""``.h5``: everything in one file, whose datasets have the names of the columns.

``features`` (images, …) and further columns beside it, ``paths``, ``norms``, ``sizes`` and ``mtimes`` with one entry
for each image, ``failed_paths`` and ``failed_errors``, and ``classes`` where there are probabilities. What is known
of the vectors is in the attributes of the file, and of a column in those of its dataset. The same content gives the
same bytes: there are no dates in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.vectors.column import PROBABILITIES
from zoo.vectors.content import BLOCK_BYTES, Content, batched, norms
from zoo.vectors.formats.hdf5_reader import AS_JSON, open_file
from zoo.vectors.names import BLOCK, encode

if TYPE_CHECKING:
    import h5py

__all__ = ["belonging", "open_file", "write"]

#: Bytes of a chunk, which has whole rows; one larger row is a chunk by itself.
CHUNK = 1 << 20


def write(content: Content, path: Path) -> list[Path]:
    """Write a file; it is the only one.

    Raises:
        OSError, RuntimeError: it cannot be written.
    """
    import h5py

    with h5py.File(path, "w", locking=False) as file:
        _describe(file.attrs, content.about)
        _write_columns(file, content)
        _write_entries(file, content)
        _write_failures(file, content)
    return [path]


def belonging(path: Path) -> list[Path]:
    """The files that belong to one, and it."""
    return [path]


def _write_columns(file: h5py.File, content: Content) -> None:
    for column in content.columns:
        dataset = _growing(file, column.name, content.count, column.dtype, column.shape)
        attributes = dict(column.attributes)
        if column.name == PROBABILITIES and "classes" in attributes:
            classes = [encode(name) for name in attributes.pop("classes")]
            file.create_dataset("classes", data=np.array(classes, object), dtype=_text())
        _describe(dataset.attrs, attributes)
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
    """How many there are is known at the end only."""
    paths, errors = (_growing(file, name, 0, _text()) for name in ("failed_paths", "failed_errors"))
    failures = content.failures()
    while block := list(islice(failures, BLOCK)):
        row = len(paths)
        for dataset, texts in zip((paths, errors), zip(*block, strict=True), strict=True):
            dataset.resize(row + len(block), 0)
            dataset[row:] = np.array([encode(text) for text in texts], object)


def _growing(file: h5py.File, name: str, count: int, dtype: np.dtype[Any], shape: tuple[int, ...] = ()) -> h5py.Dataset:
    """A dataset (count, *shape) to which others can add rows."""
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    rows = max(1, min(CHUNK // max(1, size), max(count, 16)))
    # HDF5 takes no chunk without numbers.
    chunk = (rows, *(max(1, length) for length in shape))
    limit = (None, *(length or None for length in shape))
    return file.create_dataset(name, (count, *shape), dtype, chunks=chunk, maxshape=limit, track_times=False)


def _text() -> Any:
    import h5py

    return h5py.string_dtype("utf-8")


def _describe(attributes: h5py.AttributeManager, values: Mapping[str, Any]) -> None:
    """Write attributes: texts, numbers and truth values as they are, everything else as JSON."""
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
