"""``.npy``: what NumPy itself reads, and the files beside it."""

import json

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UsageError
from zoo.vectors import open_vectors


def test_numpy_maps_it(tmp_path):
    content = made.content(20, shapes=((5,), (2, 3)))
    made.write(content, tmp_path / "f.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy", mmap_mode="r"), content.arrays[0])
    np.testing.assert_array_equal(np.load(tmp_path / "f.features_b_x0.npy"), content.arrays[1])
    assert np.load(tmp_path / "f.rows.npy")["size"].tolist() == list(range(20))
    lines = (tmp_path / "f.paths.txt").read_bytes().split(b"\n")
    assert len(lines) == 21
    assert lines[:2] == [b"a.jpg", b"with, comma.jpg"]
    assert json.loads(lines[4]) == "two\nlines.jpg"
    about = json.loads((tmp_path / "f.about.json").read_text())
    assert about["about"] == content.about
    assert about["failed"] == [["bad\n.jpg", "no\tway"], ["x", "y"]]
    assert about["rows"] == 20


def test_without_what_belongs_to_it(tmp_path):
    content = made.content(20)
    made.write(content, tmp_path / "f.npy")
    (tmp_path / "f.about.json").unlink()
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert vectors.paths[0] == "a.jpg"
        assert vectors.about == {}
        assert vectors.stamps(0, 1) is None
    (tmp_path / "f.paths.txt").unlink()
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert list(vectors.paths)[-1] == "row 19"
        np.testing.assert_array_equal(vectors.read(0, 20), content.arrays[0])


def test_names_that_others_wrote(tmp_path):
    np.save(tmp_path / "f.npy", np.ones((3, 2)))
    for text in (b"a.jpg\nb.jpg\nc.jpg", b"a.jpg\r\nb.jpg\r\nc.jpg\r\n"):
        (tmp_path / "f.paths.txt").write_bytes(text)
        with open_vectors(tmp_path / "f.npy") as vectors:
            assert list(vectors.paths) == ["a.jpg", "b.jpg", "c.jpg"]
            assert vectors.paths[1] == "b.jpg"


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(60, dtype=np.float32).reshape(20, 3)),
        np.arange(60, dtype=">f4").reshape(20, 3),
        np.arange(60, dtype=np.int16).reshape(20, 3),
        np.arange(120, dtype=np.float64).reshape(20, 3, 2),
        np.ones((0, 4), np.float32, order="F"),
    ],
)
def test_arrays_of_others(array, tmp_path):
    np.save(tmp_path / "f.npy", array)
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert vectors.dtype.isnative
        np.testing.assert_array_equal(vectors.read(0, len(array)), array)
        order = np.arange(len(array))[::-3]
        np.testing.assert_array_equal(vectors.take(order), array[order])
        assert sum(len(block) for _, block in vectors.blocks(7)) == len(array)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.arange(3.0), r"no vectors of numbers, one for each image, but float64 of shape \(3,\)"),
        (np.array([["a", "b"]]), "no vectors of numbers"),
        (np.ones((2, 2), bool), "no vectors of numbers"),
        (np.ones((2, 2), complex), "no vectors of numbers"),
        (np.array([[{}, []]], object), "Python objects"),
        (np.ones((2, 2), [("a", "f4")]), "no vectors of numbers"),
    ],
)
def test_arrays_without_vectors(array, words, tmp_path):
    np.save(tmp_path / "f.npy", array)
    with pytest.raises(UsageError, match=words):
        open_vectors(tmp_path / "f.npy")


def test_files_that_do_not_belong_together(tmp_path):
    made.write(made.content(5), tmp_path / "f.npy")
    np.save(tmp_path / "f.npy", np.ones((6, 5), np.float32))
    with pytest.raises(UsageError, match=r"f\.about\.json was not made with .*f\.npy, which has other vectors; remove"):
        open_vectors(tmp_path / "f.npy")
    (tmp_path / "f.about.json").unlink()
    with pytest.raises(UsageError, match=r"f\.paths\.txt has 5 lines and .*f\.npy 6 vectors; write them again"):
        open_vectors(tmp_path / "f.npy")


def test_a_further_column_that_is_missing(tmp_path):
    made.write(made.content(5, shapes=((2,), (3,))), tmp_path / "f.npy")
    (tmp_path / "f.features_b_x0.npy").unlink()
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert vectors.count == 5
    with pytest.raises(UsageError, match=r"f\.features_b_x0\.npy"):
        open_vectors(tmp_path / "f.npy", layer="b/x0")


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"about": {}}', '{"rows": 5, "about": 3, "columns": [], "failed": []}']
)
def test_a_damaged_companion(damage, tmp_path):
    made.write(made.content(5), tmp_path / "f.npy")
    (tmp_path / "f.about.json").write_text(damage)
    with pytest.raises(UsageError, match=r"f\.about\.json is damaged, or was not written by zoo"):
        open_vectors(tmp_path / "f.npy")


def test_a_damaged_list_of_files(tmp_path):
    made.write(made.content(5), tmp_path / "f.npy")
    np.save(tmp_path / "f.rows.npy", np.ones(5))
    with pytest.raises(UsageError, match="does not belong to the 5 vectors"):
        open_vectors(tmp_path / "f.npy")
    (tmp_path / "f.rows.npy").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"f\.rows\.npy is damaged"):
        open_vectors(tmp_path / "f.npy")
    (tmp_path / "f.rows.npy").unlink()
    with open_vectors(tmp_path / "f.npy") as vectors:
        assert vectors.norms is None
