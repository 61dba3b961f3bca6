"""Which vectors are taken: a seeded sample, without those that hold no numbers; and how they are compared."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.map.made import write_vectors
from zoo.core.errors import UsageError
from zoo.search.sample import draw
from zoo.vectors import open_vectors


@pytest.fixture
def opened(tmp_path):
    def make(vectors):
        path = write_vectors(tmp_path / "f.h5", vectors, [f"{index}.jpg" for index in range(len(vectors))])
        return open_vectors(path)

    return make


def whole(chosen):
    return np.concatenate([block.copy() for _, block in chosen.blocks()])


def test_all_are_taken_where_there_is_room(opened):
    vectors = np.random.default_rng(0).normal(size=(20, 3, 2)).astype("float16")
    with opened(vectors) as file:
        chosen = draw(file, limit=20, metric="euclidean")
        assert len(chosen) == 20
        assert not len(chosen.unusable)
        assert whole(chosen) == pytest.approx(vectors.reshape(20, 6).astype(np.float32))


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(opened):
    vectors = np.arange(300, dtype=np.float32).reshape(100, 3)
    with opened(vectors) as file:
        one, two, other = (draw(file, limit=10, metric="euclidean", seed=seed) for seed in (1, 1, 2))
        assert (one.rows == two.rows).all()
        assert (one.rows != other.rows).any()
        assert (np.diff(one.rows) > 0).all()
        assert (whole(one) == vectors[one.rows]).all()


def test_what_is_no_number_is_left_out_and_told(opened):
    vectors = np.ones((6, 4), np.float32)
    vectors[1, 2], vectors[3, 0], vectors[4, 1] = np.nan, np.inf, 3e38
    with opened(vectors) as file:
        chosen = draw(file)
        assert chosen.rows.tolist() == [0, 2, 5]
        assert chosen.unusable.tolist() == [1, 3, 4]


def test_by_direction_vectors_have_the_length_of_one_and_zeros_stay(opened):
    vectors = np.array([[3, 4], [0, 0], [0, -7]], np.float32)
    with opened(vectors) as file:
        assert whole(draw(file)) == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, -1]]))
        assert (whole(draw(file, metric="euclidean")) == vectors).all()


@pytest.mark.parametrize(
    ("vectors", "arguments", "says"),
    [
        (np.ones((0, 4), np.float32), {}, "holds no vectors"),
        (np.full((3, 4), np.nan, np.float32), {}, "None of the 3 vectors"),
        (np.ones((3, 4), np.float32), {"metric": "manhattan"}, "cosine or euclidean"),
        (np.ones((3, 4), np.float32), {"limit": 0}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(opened, vectors, arguments, says):
    with opened(vectors) as file, pytest.raises(UsageError, match=says):
        draw(file, **arguments)
