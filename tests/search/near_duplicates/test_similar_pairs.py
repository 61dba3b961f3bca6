"""No pair above the threshold is missed, and no other one is found, with the projection and without."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.search.files import opened, units
from zoo.search.near_duplicates import similar_pairs
from zoo.search.near_duplicates.similar_pairs import DIGITS, similar_groups, similarities


@pytest.fixture(params=["small", "projected"])
def way(request, monkeypatch):
    """All pairs at once; and by blocks of the table, of vectors that are said to be many."""
    if request.param == "projected":
        monkeypatch.setattr(similar_pairs, "_SMALL", 0)
        monkeypatch.setattr(similar_pairs, "_ROWS", 32)
        monkeypatch.setattr(similar_pairs, "_COLUMNS", 64)
        monkeypatch.setattr(similar_pairs, "_COLLECTED", 50)
        monkeypatch.setattr(similar_pairs, "_EXACT", 7 * 8 * 40)


def plainly(vectors, threshold):
    """Connected groups from the table of all cosines."""
    table = np.round(units(vectors) @ units(vectors).T, DIGITS) >= threshold
    count, labels = connected_components(coo_array(table), directed=False)
    groups = [np.flatnonzero(labels == label).tolist() for label in range(count)]
    return sorted(group for group in groups if len(group) > 1)


def around(centres, each, spread, dim=40, seed=0):
    """Vectors in heaps, mixed."""
    numbers = np.random.default_rng(seed)
    points = np.repeat(numbers.standard_normal((centres, dim)), each, axis=0)
    return numbers.permutation(points + spread * numbers.standard_normal(points.shape)).astype(np.float32)


@pytest.mark.parametrize("spread", [0.02, 0.15, 0.3])
@pytest.mark.parametrize("threshold", [0.8, 0.95, 0.99, 1.0])
@pytest.mark.parametrize("threads", [1, 3])
def test_groups_are_those_of_the_table_of_all_pairs(tmp_path, way, spread, threshold, threads):
    vectors = around(60, 4, spread)
    with opened(tmp_path / "f.npy", vectors) as file:
        found = similar_groups(file, threshold, threads=threads)
    assert [group.tolist() for group in found] == plainly(vectors, threshold)


def test_copies_are_found_at_1(tmp_path, way):
    vectors = around(50, 1, 0)
    vectors[[7, 30]] = vectors[2]
    vectors[44] = 3 * vectors[11]
    with opened(tmp_path / "f.h5", vectors) as file:
        assert [group.tolist() for group in similar_groups(file, 1.0)] == [[2, 7, 30], [11, 44]]


def test_all_the_same(tmp_path, way):
    with opened(tmp_path / "f.npy", np.ones((300, 40), np.float32)) as file:
        (group,) = similar_groups(file, 0.9)
    assert len(group) == 300


def test_what_has_no_length_or_is_not_finite_is_alone(tmp_path, way):
    vectors = around(30, 1, 0)
    vectors[3:6], vectors[8:10], vectors[12:14, 5] = 0, np.nan, np.inf
    with opened(tmp_path / "f.npy", vectors) as file:
        assert similar_groups(file, 0.9) == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few(tmp_path, count):
    with opened(tmp_path / "f.npy", np.ones((count, 4), np.float32)) as file:
        assert similar_groups(file, 0.9) == []


def test_progress_ends_with_all_pairs(tmp_path, way):
    told = []
    with opened(tmp_path / "f.npy", around(60, 4, 0.1)) as file:
        similar_groups(file, 0.9, progress=lambda *now: told.append(now))
    assert told[-1] == (240 * 239 // 2, 240 * 239 // 2)
    assert told == sorted(told)


def test_similarities_of_half_precision_and_any_shape(tmp_path):
    maps = np.random.default_rng(0).standard_normal((9, 2, 2, 3)).astype(np.float16)
    with opened(tmp_path / "f.h5", maps, dtype="float16") as file:
        found = similarities(file, np.array([[1, 1], [2, 3], [2, 8]]))
    expected = (units(maps)[[1, 2, 2]] * units(maps)[[1, 3, 8]]).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[0] == 1


def test_interrupted_it_ends_at_once(tmp_path, way):
    def stop(*now):
        raise KeyboardInterrupt

    with opened(tmp_path / "f.npy", around(60, 4, 0.1)) as file, pytest.raises(KeyboardInterrupt):
        similar_groups(file, 0.9, progress=stop)
