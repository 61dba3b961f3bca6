"""``.parquet``: what pyarrow itself reads, and the tables of others."""

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors import open_vectors
from zoo.vectors.formats import parquet

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def test_pyarrow_reads_it(tmp_path):
    content = made.content(20, shapes=((3,), (2, 2)), dtype="float16")
    made.write(content, tmp_path / "f.parquet")
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["path", "features", "features_b_x0", "size", "mtime_ns", "norm"]
    assert table.schema.field("features").type == pa.list_(pa.float16(), 3)
    np.testing.assert_array_equal(np.array(table["features"].to_pylist()), content.arrays[0].astype(float))
    assert table["path"].to_pylist()[9] == "日本.jpg"
    assert table["path"].to_pylist()[8] == '"caf\\udce9.jpg"'


def test_many_groups_of_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BLOCK", 700)
    content = made.content(333, shapes=((5,), (2,)))
    made.write(content, tmp_path / "f.parquet")
    assert pq.ParquetFile(tmp_path / "f.parquet").num_row_groups == 14
    made.check(content, tmp_path / "f.parquet")


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 2), pa.large_list(pa.int32())])
def test_tables_of_others(kind, tmp_path):
    rows = [[1, 2], [3, 4], [5, 6]]
    pq.write_table(pa.table({"features": pa.array(rows, kind), "label": [1, 2, 3]}), tmp_path / "f.parquet")
    with open_vectors(tmp_path / "f.parquet") as vectors:
        assert vectors.dtype == kind.value_type.to_pandas_dtype()
        assert vectors.read(1, 3).tolist() == rows[1:]
        assert vectors.paths[2] == "row 2"
        assert (vectors.about, vectors.norms, vectors.stamps(0, 1)) == ({}, None, None)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1]}, "has no column 'features'. It has x"),
        ({"features": [1.0]}, "is not a column of lists of numbers"),
        ({"features": [["a"]]}, "is not a column of lists of numbers"),
        ({"features": [[[1.0]]]}, "is not a column of lists of numbers"),
    ],
)
def test_tables_without_vectors(columns, words, tmp_path):
    pq.write_table(pa.table(columns), tmp_path / "f.parquet")
    with pytest.raises(UsageError, match=words):
        open_vectors(tmp_path / "f.parquet")


@pytest.mark.parametrize("rows", [[[1.0, 2], [3]], [[1.0], None], [[1.0], [None]]])
def test_rows_of_different_lengths(rows, tmp_path):
    pq.write_table(pa.table({"features": pa.array(rows, pa.list_(pa.float32()))}), tmp_path / "f.parquet")
    with (
        open_vectors(tmp_path / "f.parquet") as vectors,
        pytest.raises((UsageError, UnavailableError), match="rows without numbers, or of different lengths"),
    ):
        vectors.read(0, 2)
