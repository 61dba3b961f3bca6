"""``.parquet``: a row for each image, for tools that read columnar tables; needs pyarrow.

``path``, then each column as a list of a fixed size (feature maps flattened), ``size`` and ``mtime_ns`` of the image's
file, and ``norm`` of its first vector. Paths that are not UTF-8 are JSON strings (:func:`zoo.vectors.names.to_text`).
The metadata ``zoo`` has attributes, shapes and failed inputs as JSON.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors.column import FEATURES, Column, ColumnChoice
from zoo.vectors.content import Content, batched, norms
from zoo.vectors.names import Names, from_text, numbered, to_text
from zoo.vectors.rows import BLOCK, Rows
from zoo.vectors.vectors import Stamps, Vectors, reading

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_METADATA = b"zoo"


def write(content: Content, path: Path) -> list[Path]:
    """Write a file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(content.columns)
    # Lists of the fixed size 0 crash pyarrow 26.
    lists = [pa.list_(pa.from_numpy_dtype(column.dtype), column.size or -1) for column in columns]
    about = {
        "about": dict(content.about),
        "columns": [column.as_dict() for column in columns],
        "failed": list(content.failures()),
    }
    fields = [
        ("path", pa.string()),
        *((column.name, kind) for column, kind in zip(columns, lists, strict=True)),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("norm", pa.float32()),
    ]
    schema = pa.schema(fields, {_METADATA: json.dumps(about)})
    rows = max(1, BLOCK // max(1, sum(column.nbytes for column in columns)))
    blocks = zip(*(content.blocks(column, rows) for column in columns), strict=True)
    # Features do not repeat: neither a dictionary nor compression makes them smaller.
    with pq.ParquetWriter(path, schema, use_dictionary=False, compression="none", write_statistics=False) as writer:
        for entries, arrays in zip(batched(content.entries(), rows), blocks, strict=True):
            numbers = [
                pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), type=kind)
                if array.size
                else pa.array([[]] * len(array), kind)
                for array, kind in zip(arrays, lists, strict=True)
            ]
            table = [
                pa.array([to_text(entry.path) for entry in entries], pa.string()),
                *numbers,
                pa.array([entry.size for entry in entries], pa.int64()),
                pa.array([entry.mtime_ns for entry in entries], pa.int64()),
                pa.array(norms(arrays[0])),
            ]
            writer.write_table(pa.Table.from_arrays(table, schema=schema), rows)
    return [path]


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Open a file of zoo, or any with a column ``features`` of lists of numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    problem = "is damaged, or not a Parquet file of vectors; write it again"
    with ExitStack() as closing, reading(path, problem, pa.ArrowException):
        file = closing.enter_context(pq.ParquetFile(path, memory_map=False))
        groups = _RowGroups(file, path)
        text = (file.schema_arrow.metadata or {}).get(_METADATA)
        about = json.loads(text) if text else {"about": {}, "columns": [], "failed": []}
        columns = [Column.from_dict(column) for column in about["columns"]] or [groups.foreign_column()]
        column = choose(columns)
        names = set(file.schema_arrow.names)
        return Vectors(
            str(path),
            _ListRows(groups, column, path),
            groups.names() if "path" in names else numbered(groups.count),
            closing.pop_all(),
            about=about["about"],
            columns=columns,
            column=column,
            norms=groups.norms if "norm" in names else None,
            stamps=groups.stamps if {"size", "mtime_ns"} <= names else None,
            failed=lambda: ((path, error) for path, error in about["failed"]),
        )


class _RowGroups:
    """The row groups of a file; the last one read of each column stays in memory."""

    def __init__(self, file: pq.ParquetFile, path: Path) -> None:
        self._file, self._path, self._lock = file, path, threading.Lock()
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        self._edges = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.count = int(self._edges[-1])
        self._last: dict[str, tuple[int, pa.Array]] = {}

    def parts(self, name: str, start: int, stop: int) -> Iterator[tuple[int, pa.Array]]:
        """The rows of a column from ``start`` to ``stop`` by group: the first row of a part, and the part."""
        row = start
        while row < stop:
            group = int(np.searchsorted(self._edges, row, "right")) - 1
            first, end = self._edges[group : group + 2].tolist()
            yield row, self._group(name, group)[row - first : min(stop, end) - first]
            row = end

    def names(self) -> Names:
        """The paths of the images."""

        def fetch(start: int, stop: int) -> list[str]:
            return [from_text(text) for _, part in self.parts("path", start, stop) for text in part.to_pylist()]

        return Names(self.count, fetch)

    def norms(self) -> np.ndarray:
        """The stored norms."""
        return self._numbers("norm", 0, self.count, np.float32)

    def stamps(self, start: int, stop: int) -> Stamps:
        """Sizes and modification times of some images' files."""
        return self._numbers("size", start, stop, np.int64), self._numbers("mtime_ns", start, stop, np.int64)

    def foreign_column(self) -> Column:
        """``features`` of a file that zoo did not write."""
        schema = self._file.schema_arrow
        if FEATURES not in schema.names:
            raise UsageError(f"{self._path} has no column '{FEATURES}'. It has {', '.join(schema.names)}.")
        first = next(self.parts(FEATURES, 0, min(1, self.count)), None)
        try:
            row = np.array(first[1][0].as_py()) if first else np.empty(0, np.float32)
            if row.ndim != 1 or row.dtype.kind not in "fiu":
                raise ValueError
            dtype = schema.field(FEATURES).type.value_type.to_pandas_dtype()
        except (ValueError, AttributeError, NotImplementedError) as error:
            raise UsageError(f"'{FEATURES}' in {self._path} is not a column of lists of numbers.") from error
        return Column(FEATURES, row.shape, dtype)

    def _numbers(self, name: str, start: int, stop: int, dtype: type[Any]) -> np.ndarray:
        parts = (part.to_numpy(zero_copy_only=False) for _, part in self.parts(name, start, stop))
        return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)

    def _group(self, name: str, group: int) -> pa.Array:
        with self._lock:
            last, array = self._last.get(name, (-1, None))
            if last != group:
                self._last.pop(name, None)
                with reading(self._path):
                    array = self._file.read_row_group(group, columns=[name]).column(name).combine_chunks()
                self._last[name] = group, array
            return array


class _ListRows(Rows):
    """The rows of a column of lists."""

    def __init__(self, groups: _RowGroups, column: Column, path: Path) -> None:
        self._groups, self._column, self._path = groups, column, path
        self.count, self.shape, self.dtype = groups.count, column.shape, column.dtype

    def fill(self, start: int, out: np.ndarray) -> None:
        if not out.size:
            return
        for row, part in self._groups.parts(self._column.name, start, start + len(out)):
            numbers = part.flatten()
            if part.null_count or numbers.null_count or len(numbers) != len(part) * self._column.size:
                raise UnavailableError(f"{self._path} has rows without numbers, or of different lengths.")
            values = numbers.to_numpy(zero_copy_only=False).reshape(len(part), *self.shape)
            out[row - start : row - start + len(part)] = values
