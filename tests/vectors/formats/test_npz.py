"""``.npz``: what NumPy itself reads, and the archives of others."""

import zipfile

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UsageError
from zoo.vectors import open_vectors


def test_numpy_reads_it(tmp_path):
    content = made.content(20, shapes=((5,), (2, 3)))
    made.write(content, tmp_path / "f.npz")
    with np.load(tmp_path / "f.npz") as arrays:
        np.testing.assert_array_equal(arrays["features"], content.arrays[0])
        np.testing.assert_array_equal(arrays["features_b_x0"], content.arrays[1])
        assert arrays["paths"].tolist() == [entry.path for entry in content.images]
        assert arrays["failed_errors"].tolist() == ["no\tway", "y"]
        assert arrays["sizes"].tolist() == list(range(20))
        assert len(arrays["norms"]) == 20


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_archives_of_others(save, order, tmp_path):
    values = np.asarray(np.random.default_rng(0).standard_normal((300, 7)).astype(np.float32), order=order)
    save(tmp_path / "f.npz", features=values, paths=np.array([f"{row}.jpg" for row in range(300)]), other=np.ones(3))
    with open_vectors(tmp_path / "f.npz") as vectors:
        assert vectors.about == {}
        np.testing.assert_array_equal(vectors.read(10, 290), values[10:290])
        np.testing.assert_array_equal(vectors.take([299, 0]), values[[299, 0]])
        assert vectors.paths[299] == "299.jpg"


def test_no_names(tmp_path):
    np.savez(tmp_path / "f.npz", features=np.ones((2, 3)))
    with open_vectors(tmp_path / "f.npz") as vectors:
        assert list(vectors.paths) == ["row 0", "row 1"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.ones((2, 2))}, "has no array 'features'. It has x"),
        ({"features": np.ones(2)}, "holds no vectors"),
        ({"features": np.array([[{}]])}, "Python objects"),
        ({"features": np.ones((2, 2)), "paths": np.ones(2)}, "'paths' holds no strings"),
        ({"features": np.ones((2, 2)), "paths": np.array(["a"])}, "2 vectors and the names of 1"),
        ({"features": np.ones((2, 2)), "about": np.array("{}")}, "damaged, or not an archive of vectors"),
    ],
)
def test_archives_without_vectors(arrays, words, tmp_path):
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(UsageError, match=words):
        open_vectors(tmp_path / "f.npz")


def test_another_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(UsageError, match="has no array 'features'"):
        open_vectors(tmp_path / "f.npz")
