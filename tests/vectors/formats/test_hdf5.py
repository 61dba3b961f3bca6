"""``.h5``: the layout that others rely on, and the files of others."""

import h5py
import numpy as np
import pytest

from tests.vectors import made
from tests.vectors.array_content import ArrayContent
from zoo.core.errors import UsageError
from zoo.vectors import Column, open_vectors
from zoo.vectors.content import Entry
from zoo.vectors.rows import RawRows


def in_place(path, layer=None):
    """Whether the numbers are read around HDF5."""
    with open_vectors(path, layer=layer) as vectors:
        return isinstance(vectors._rows, RawRows)


def test_the_layout(tmp_path):
    content = made.content(30, shapes=((5,), (2, 3)))
    made.write(content, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5") as file:
        assert sorted(file) == [
            "failed_errors",
            "failed_paths",
            "features",
            "features_b_x0",
            "mtimes",
            "norms",
            "paths",
            "sizes",
        ]
        assert file["features"].shape == (30, 5)
        assert file["features"].dtype == np.float32
        assert file["features"].chunks == (30, 5)
        assert file["features"].maxshape == (None, 5)
        assert file["features_b_x0"].shape == (30, 2, 3)
        assert file["features"].attrs["layer"] == "top"
        assert file["features"].compression is None
        np.testing.assert_array_equal(file["features"], content.arrays[0])
        assert file["paths"].asstr()[9] == "日本.jpg"
        assert file["paths"][8] == b"caf\xe9.jpg"
        assert (file["sizes"].dtype, file["mtimes"].dtype) == (np.int64, np.int64)
        assert file["failed_paths"].asstr()[1] == "x"
        assert file.attrs["model"] == "resnet50"
        assert file.attrs["layer"] == ""
        assert not file.attrs["normalized"]
        assert file.attrs["further_layers"] == '["b/x"]'
        assert list(file.attrs["json_attributes"]) == ["further_layers", "none"]


def test_probabilities_and_the_names_of_classes(tmp_path):
    columns = [
        Column("features", (4,), "float32"),
        Column("probabilities", (2,), "float32", {"classes": ["tabby", "日本"]}),
    ]
    arrays = [np.ones((3, 4)), np.full((3, 2), 0.5)]
    content = ArrayContent({"model": "m"}, columns, arrays, [Entry(str(row)) for row in range(3)])
    made.write(content, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["classes"].asstr()[:].tolist() == ["tabby", "日本"]
        assert "classes" not in file["probabilities"].attrs
    made.check(content, tmp_path / "f.h5")


def test_chunks_have_whole_rows(tmp_path):
    wide = 1000
    content = made.content(900, shapes=((wide,),))
    made.write(content, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5") as file:
        rows, size = file["features"].chunks
        assert size == wide
        assert 1 << 19 < rows * size * 4 <= 1 << 20
    assert in_place(tmp_path / "f.h5")
    made.check(content, tmp_path / "f.h5")


def test_a_row_that_is_larger_than_a_chunk(tmp_path):
    content = made.content(3, shapes=((300_000,),))
    made.write(content, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["features"].chunks == (1, 300_000)
    made.check(content, tmp_path / "f.h5")


@pytest.mark.parametrize(
    ("settings", "direct"),
    [
        ({}, True),
        ({"chunks": (7, 5)}, True),
        ({"chunks": (7, 2)}, False),
        ({"chunks": (7, 5), "compression": "gzip"}, False),
        ({"chunks": (7, 5), "shuffle": True}, False),
        ({"chunks": (7, 5), "fletcher32": True}, False),
        ({"dtype": ">f4"}, False),
        ({"dtype": "float64"}, True),
        ({"dtype": "int16"}, True),
    ],
)
def test_files_of_others(settings, direct, tmp_path):
    values = np.random.default_rng(0).integers(-9, 9, (50, 5)).astype(np.float32)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_dataset("features", data=values, **settings)
    assert in_place(tmp_path / "f.h5") == direct
    with open_vectors(tmp_path / "f.h5") as vectors:
        assert vectors.about == {}
        assert vectors.norms is None
        assert vectors.stamps(0, 5) is None
        assert list(vectors.failed()) == []
        assert vectors.paths[7] == "row 7"
        np.testing.assert_array_equal(vectors.read(3, 40), values[3:40])
        np.testing.assert_array_equal(vectors.take([9, 3, 3]), values[[9, 3, 3]])
        np.testing.assert_array_equal(np.concatenate([block for _, block in vectors.blocks(8)]), values)


def test_files_that_h5py_lets_one_make(tmp_path):
    """A user block, chunks that were never written, a link to another file."""
    values = np.ones((50, 5), np.float32)
    with h5py.File(tmp_path / "block.h5", "w", userblock_size=512) as file:
        file.create_dataset("features", data=values)
    with h5py.File(tmp_path / "holes.h5", "w") as file:
        file.create_dataset("features", (50, 5), "float32", chunks=(10, 5), fillvalue=1)
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["features"] = h5py.ExternalLink("block.h5", "/features")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((50, 5), "float32")
        layout[:] = h5py.VirtualSource("block.h5", "features", (50, 5))
        file.create_virtual_dataset("features", layout)
    for name in ("block", "holes", "link", "virtual"):
        with open_vectors(tmp_path / f"{name}.h5") as vectors:
            np.testing.assert_array_equal(vectors.read(0, 50), values)


def test_attributes_of_others(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["features"] = np.ones((2, 3), np.float32)
        file["paths"] = np.array([b"a.jpg", b"b.jpg"])
        file.attrs.update({"a": 1, "b": 2.5, "c": "text", "d": np.arange(3), "e": np.bytes_(b"bytes"), "f": True})
        file.attrs["g"] = h5py.Empty("f")
    with open_vectors(tmp_path / "f.h5") as vectors:
        expected = {"a": 1, "b": 2.5, "c": "text", "d": [0, 1, 2], "e": "bytes", "f": True, "g": None}
        assert vectors.about == expected
        assert list(vectors.paths) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ({}, "has no dataset 'features'. It is empty"),
        ({"x": np.ones(3), "y": np.ones(2)}, "has no dataset 'features'. It has x, y"),
        ({"features": np.ones(3)}, "'features' in .* holds no vectors of numbers"),
        ({"features": np.array([[b"a", b"b"]])}, "'features' in .* holds no vectors of numbers"),
        ({"features": np.float32(3)}, "'features' in .* holds no vectors of numbers"),
        ({"features": np.ones((3, 2)), "paths": np.array([b"a"])}, "3 vectors and the names of 1 images"),
        ({"features": np.ones((3, 2)), "paths": np.ones((3, 2))}, "'paths' in .* holds no names"),
    ],
)
def test_files_without_vectors(datasets, words, tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        for name, values in datasets.items():
            file[name] = values
    with pytest.raises(UsageError, match=words):
        open_vectors(tmp_path / "f.h5")
