"""Groups of images: found again where they are, as many as asked for, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.map.made import blobs, write_vectors
from zoo.core.errors import UnavailableError, UsageError
from zoo.search.clusters import find_clusters

pytest.importorskip("sklearn")


@pytest.fixture
def index(tmp_path):
    def make(vectors, names=None):
        names = names or [f"{number}.jpg" for number in range(len(vectors))]
        return write_vectors(tmp_path / "f.h5", vectors, names)

    return make


def test_groups_are_found_and_counted_by_themselves(index):
    vectors, which = blobs((50, 20, 35, 10))
    names = [f"class{number}/{at}.jpg" for at, number in enumerate(which)]
    found = find_clusters(index(vectors, names))
    assert [cluster.size for cluster in found.clusters] == [50, 35, 20, 10]
    assert [cluster.folder for cluster in found.clusters] == ["class0", "class2", "class1", "class3"]
    assert found.purity == 1
    assert max(found.tried, key=lambda k: found.tried[k]) == 4
    assert found.silhouette == found.tried[4] > 0.7
    # Numbers go with the order, the largest first.
    assert [int(found.numbers[np.flatnonzero(which == number)[0]]) for number in range(4)] == [0, 2, 1, 3]


def test_the_central_image_is_the_nearest_to_the_middle(index):
    vectors, _ = blobs((30, 30), dim=5)
    found = find_clusters(index(vectors), 2, metric="euclidean")
    for cluster in found.clusters:
        assert (np.diff(found.distances[cluster.members]) >= 0).all()
        middle = vectors[cluster.members].mean(axis=0)
        nearest = cluster.members[np.linalg.norm(vectors[cluster.members] - middle, axis=1).argmin()]
        assert found.paths[nearest] == cluster.central


def test_as_many_as_asked_for_and_the_same_twice(index):
    vectors, _ = blobs((40, 40), apart=0.5)
    one, two = (find_clusters(index(vectors), 7, seed=5) for _ in range(2))
    assert len(one.clusters) == 7
    assert (one.numbers == two.numbers).all()
    assert not one.tried
    assert sum(cluster.size for cluster in one.clusters) == 80


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_images_are_one_group(index, count):
    found = find_clusters(index(np.eye(4, dtype=np.float32)[:count]))
    assert [cluster.size for cluster in found.clusters] == [count]
    assert (found.silhouette, found.tried) == (None, {})
    assert found.summary()["silhouette"] is None


def test_equal_images_are_one_group_and_no_more(index):
    file = index(np.ones((12, 4), np.float32))
    assert len(find_clusters(file).clusters) == 1
    with pytest.raises(UsageError, match="only 1 vectors that differ"):
        find_clusters(file, 3)
    pairs = index(np.repeat(np.eye(4, dtype=np.float32), 3, axis=0))
    assert len(find_clusters(pairs).clusters) == 4
    with pytest.raises(UsageError, match="only 4 vectors that differ"):
        find_clusters(pairs, 6)
    with pytest.raises(UsageError, match="only 12"):
        find_clusters(index(np.eye(12, dtype=np.float32)), 13)


def test_what_is_no_number_is_in_no_group(index):
    vectors, _ = blobs((10, 10))
    vectors[4, 2] = np.inf
    found = find_clusters(index(vectors), 2)
    assert (len(found), found.unusable) == (19, ("4.jpg",))
    assert list(found.rows())[-1] == {"path": "4.jpg", "error": "its vector contains NaN or infinite values"}


def test_the_summary_is_plain_values(index):
    vectors, which = blobs((12, 8))
    names = [f"{'ab'[number]}/{at}.jpg" for at, number in enumerate(which)]
    summary = find_clusters(index(vectors, names), 2).summary()
    assert (summary["n"], summary["k"], summary["purity"]) == (20, 2, 1.0)
    assert summary["clusters"][0].keys() == {"cluster", "size", "central", "folder", "share"}
    assert (summary["clusters"][1]["folder"], summary["clusters"][1]["share"]) == ("b", 1.0)
    one_folder = find_clusters(index(vectors), 2).summary()
    assert (one_folder["purity"], one_folder["clusters"][0]["folder"]) == (None, None)


def test_what_makes_no_sense_is_a_sentence(index, monkeypatch):
    with pytest.raises(UsageError, match="at least 1"):
        find_clusters(index(np.eye(4, dtype=np.float32)), 0)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"keras-zoo\[map\]"):
        find_clusters(index(np.eye(4, dtype=np.float32)))
