"""The map: from a file of vectors to places, whatever the file holds."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.map.made import blobs, write_vectors
from zoo.core.errors import UsageError
from zoo.search.map import make_map


@pytest.fixture
def index(tmp_path):
    def make(vectors, names=None, **about):
        names = names or [f"class{number % 3}/{number}.jpg" for number in range(len(vectors))]
        return write_vectors(tmp_path / "f.h5", vectors, names, **about)

    return make


def test_a_map_knows_what_it_is_of(index):
    vectors, _ = blobs()
    found = make_map(index(vectors, model="resnet50", layer="stage3"), method="pca", seed=7)
    assert (len(found), found.total, found.dim, found.method, found.seed) == (60, 60, 12, "pca", 7)
    assert found.about["model"] == "resnet50"
    assert found.labels.names == ("class0", "class1", "class2")
    assert found.variance == pytest.approx(1, abs=1e-3)
    rows = list(found.rows())
    assert rows[4].keys() == {"path", "x", "y", "label"}
    assert (rows[4]["path"], rows[4]["label"]) == ("class1/4.jpg", "class1")
    assert np.array([[row["x"], row["y"]] for row in rows]) == pytest.approx(found.places, abs=1e-6)


def test_of_many_vectors_a_sample_is_drawn(index):
    vectors, _ = blobs()
    one, two = (make_map(index(vectors), method="pca", limit=25, seed=3) for _ in range(2))
    assert (len(one), one.total) == (25, 60)
    assert one.paths == two.paths
    assert (one.places == two.places).all()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("method", ["auto", "pca"])
def test_few_vectors(index, count, method):
    vectors = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    found = make_map(index(vectors), method=method)
    assert found.places.shape == (count, 2)
    assert np.isfinite(found.places).all()
    assert found.method == "pca"
    assert len(np.unique(found.places.round(6), axis=0)) == count


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_equal_vectors_have_one_place(index, value):
    found = make_map(index(np.full((40, 5), value, np.float32)), method="pca")
    assert not found.places.any()
    assert found.variance == 0


def test_maps_are_flattened(index):
    maps = np.random.default_rng(0).normal(size=(12, 3, 3, 4)).astype("float16")
    flat = make_map(index(maps), method="pca")
    assert flat.dim == 36
    assert flat.places.shape == (12, 2)


def test_what_is_no_number_has_no_place_but_a_reason(index):
    vectors, _ = blobs()
    vectors[3] = np.nan
    found = make_map(index(vectors), method="pca")
    assert len(found) == 59
    assert found.unusable == ("class0/3.jpg",)
    assert list(found.rows())[-1] == {"path": "class0/3.jpg", "error": "its vector contains NaN or infinite values"}


def test_the_order_of_axes_does_not_matter_to_directions(index):
    vectors, _ = blobs()
    near = make_map(index(vectors), method="pca").places
    scaled = make_map(index(vectors * np.linspace(1, 9, 60, dtype=np.float32)[:, None]), method="pca").places
    assert scaled == pytest.approx(near, abs=1e-4)
    other = make_map(index(vectors), method="pca", metric="euclidean").places
    assert np.abs(other).max() > 2 * np.abs(near).max()


def test_an_empty_file_is_a_sentence(index):
    with pytest.raises(UsageError, match="holds no vectors"):
        make_map(index(np.ones((0, 4), np.float32)))


def test_a_wrong_method_is_seen_before_the_file_is_read(tmp_path):
    with pytest.raises(UsageError, match="--method"):
        make_map(tmp_path / "missing.h5", method="mds")
