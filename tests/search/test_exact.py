"""Exact search finds what comparing everything with everything finds, whatever the file, and within its memory."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.files import opened, units
from zoo.search import exact
from zoo.search.exact import nearest
from zoo.search.metric import METRICS

NUMBERS = np.random.default_rng(0)


@pytest.fixture(params=["whole", "in blocks"])
def blocks(request, monkeypatch):
    """Everything at once, and a few rows and queries at a time."""
    if request.param == "in blocks":
        monkeypatch.setattr(exact, "_BLOCK", 7 * 4 * 16)
        monkeypatch.setattr(exact, "_EXACT", 5 * 8 * 16)
        monkeypatch.setattr(exact, "QUERIES", 3)


def plainly(queries, vectors, metric):
    """The order of all vectors for each query, and their scores."""
    one, other = queries.astype(np.float64), vectors.astype(np.float64)
    if metric == "cosine":
        scores = units(one) @ units(other).T
    elif metric == "dot":
        scores = one @ other.T
    else:
        scores = -np.linalg.norm(one[:, None] - other[None], axis=2)
    return np.argsort(-np.round(scores, 12), axis=1, kind="stable"), scores


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", ["f.h5", "f.npy"])
@pytest.mark.parametrize("k", [1, 10, 99, 500])
def test_the_nearest_of_all(tmp_path, blocks, metric, name, k):
    vectors = NUMBERS.standard_normal((99, 16)).astype(np.float32)
    vectors[[20, 40, 60]] = vectors[3]
    queries = np.concatenate([vectors[[3, 50]], NUMBERS.standard_normal((5, 16)).astype(np.float32)])
    order, scores = plainly(queries, vectors, metric)
    with opened(tmp_path / name, vectors) as file:
        found = nearest(file, queries, k, metric)
    assert len(found) == 7
    for query, one in enumerate(found):
        assert one.rows.tolist() == order[query, :k].tolist()
        np.testing.assert_allclose(one.scores, scores[query, one.rows], atol=1e-6)
    # Copies have equal scores, and stand in the order of the file.
    if metric != "dot" and k >= 10:
        assert found[0].rows[:4].tolist() == [3, 20, 40, 60]
        assert len(set(found[0].scores[:4].tolist())) == 1


@pytest.mark.parametrize("metric", METRICS)
def test_a_image_is_nearest_to_itself_in_half_precision_and_in_any_shape(tmp_path, metric):
    maps = NUMBERS.standard_normal((40, 2, 3, 4)).astype(np.float16)
    with opened(tmp_path / "f.h5", maps, dtype="float16") as file:
        queries = maps.reshape(40, -1).astype(np.float32)
        found = nearest(file, queries / np.linalg.norm(queries, axis=1, keepdims=True), 1, metric)
    if metric == "cosine":
        assert [one.rows.tolist() for one in found] == [[row] for row in range(40)]
        np.testing.assert_allclose([one.scores[0] for one in found], 1)


def test_vectors_that_are_not_finite_are_never_found(tmp_path, blocks):
    vectors = NUMBERS.standard_normal((30, 16)).astype(np.float32)
    vectors[4, 2], vectors[9] = np.nan, np.inf
    with opened(tmp_path / "f.npy", vectors) as file:
        (found,) = nearest(file, vectors[:1], 100)
    assert sorted(found.rows.tolist()) == [row for row in range(30) if row not in (4, 9)]


def test_vectors_without_length_come_between(tmp_path):
    vectors = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    with opened(tmp_path / "f.npy", vectors) as file:
        (found,) = nearest(file, vectors[:1], 3)
    assert found.rows.tolist() == [0, 1, 2]
    assert found.scores.tolist() == [1, 0, -1]


def test_no_vectors_and_no_queries(tmp_path):
    with opened(tmp_path / "f.npy", np.empty((0, 4), np.float32)) as file:
        (found,) = nearest(file, np.ones((1, 4), np.float32), 3)
        assert (found.rows.tolist(), found.scores.tolist()) == ([], [])
        assert nearest(file, np.ones((0, 4), np.float32), 3) == []


def test_the_file_is_read_once_for_many_queries_and_progress_is_told(tmp_path, monkeypatch):
    vectors = NUMBERS.standard_normal((50, 16)).astype(np.float32)
    told, reads = [], []
    with opened(tmp_path / "f.npy", vectors) as file:
        monkeypatch.setattr(exact, "_BLOCK", 20 * 4 * 16)
        blocks = file.blocks
        monkeypatch.setattr(file, "blocks", lambda rows: reads.append(rows) or blocks(rows))
        nearest(file, NUMBERS.standard_normal((100, 16)).astype(np.float32), 3, progress=lambda *now: told.append(now))
    assert reads == [20]
    assert told == [(20, 50), (40, 50), (50, 50)]


@pytest.mark.slow
def test_memory_does_not_grow_with_k_or_with_queries(tmp_path):
    import resource

    vectors = NUMBERS.standard_normal((100_000, 64)).astype(np.float32)
    with opened(tmp_path / "f.npy", vectors) as file:
        del vectors
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for found in nearest(file, NUMBERS.standard_normal((60, 64)).astype(np.float32), 20_000):
            assert len(found.rows) == 20_000
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 500, f"{grown:.0f} MiB"
