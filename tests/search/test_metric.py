"""How near vectors are: in float32 in blocks, exactly in float64, and what is no number."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.files import units
from zoo.core.errors import UsageError
from zoo.search.metric import METRICS, Comparison, check_metric, inverse, normalized, scores

NUMBERS = np.random.default_rng(0)


def plainly(one, other, metric):
    """Each with each, in float64."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    if metric == "cosine":
        return units(one) @ units(other).T
    if metric == "dot":
        return one @ other.T
    return -np.linalg.norm(one[:, None] - other[None], axis=2)


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_what_they_say(metric):
    one, other = (NUMBERS.standard_normal((30, 7)).astype(np.float32) for _ in range(2))
    np.testing.assert_allclose(scores(one, other, metric), np.diag(plainly(one, other, metric)), atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("with_norms", [False, True])
def test_blocks_are_in_the_order_of_the_scores(metric, with_norms):
    queries, block = (NUMBERS.standard_normal((n, 16)).astype(np.float32) for n in (3, 200))
    table = Comparison(queries, metric).with_block(block, np.linalg.norm(block, axis=1) if with_norms else None)
    assert (table.shape, table.dtype) == ((3, 200), np.float32)
    np.testing.assert_array_equal(np.argsort(table), np.argsort(plainly(queries, block, metric)))


def test_cosine_with_a_vector_without_length_is_0():
    vector, zero = np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32)
    assert Comparison(vector, "cosine").with_block(zero).tolist() == [[0]]
    assert Comparison(zero, "cosine").with_block(vector).tolist() == [[0]]
    assert scores(vector, zero, "cosine").tolist() == scores(zero, zero, "cosine").tolist() == [0]


@pytest.mark.parametrize("metric", METRICS)
def test_what_is_not_finite_is_below_everything(metric):
    block = np.ones((4, 3), np.float32)
    block[1, 0], block[2, 2] = np.nan, np.inf
    table = Comparison(np.ones((2, 3), np.float32), metric).with_block(block)
    assert np.isneginf(table[:, 1:3]).all()
    assert np.isfinite(table[:, [0, 3]]).all()
    assert not np.isfinite(scores(np.ones_like(block), block, metric))[1:3].any()


def test_large_numbers_do_not_spoil_a_cosine():
    large = np.full((1, 4), 1e18, np.float32)
    assert scores(large, large, "cosine") == pytest.approx(1)
    assert Comparison(np.ones((1, 4), np.float32), "cosine").with_block(large)[0, 0] == pytest.approx(1)


def test_the_inverse_of_nothing_is_0():
    assert inverse(np.array([0, 2, np.inf, np.nan, 1e-45], np.float32)).tolist() == [0, 0.5, 0, 0, 0]


def test_an_unknown_metric():
    assert check_metric("dot") == "dot"
    with pytest.raises(UsageError, match="cosine, dot, euclidean"):
        check_metric("manhattan")


def test_normalized():
    found = normalized(np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1]], np.float32))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, 0], [0, 0], [0, 0]])
