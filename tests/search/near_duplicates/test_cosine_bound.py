"""The few numbers that are kept of a vector never say that two are less alike than they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.files import opened, units
from zoo.search.metric import normalized
from zoo.search.near_duplicates import cosine_bound
from zoo.search.near_duplicates.cosine_bound import SLACK, CosineBound, fit_bound

NUMBERS = np.random.default_rng(0)


def narrow(count, dim, spread, seed=0):
    """Vectors near a plane of five dimensions."""
    numbers = np.random.default_rng(seed)
    within = numbers.standard_normal((count, 5)) @ numbers.standard_normal((5, dim))
    return (within + spread * numbers.standard_normal((count, dim))).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(1, 39), st.floats(0, 2), st.integers(0, 10_000))
def test_a_product_is_never_below_the_cosine(count, dim, width, spread, seed):
    vectors = narrow(count, dim, spread, seed)
    vectors[-1] = vectors[0] * (1 + 1e-4)
    numbers = np.random.default_rng(seed)
    basis = np.linalg.qr(numbers.standard_normal((dim, min(width, dim))))[0].astype(np.float32)
    kept = CosineBound(basis)(normalized(vectors))
    assert kept.shape == (count, basis.shape[1] + 1)
    cosines = units(vectors) @ units(vectors).T
    assert (kept @ kept.T >= cosines - SLACK).all()


@pytest.mark.parametrize(("count", "dim"), [(1, 3), (2, 1000), (300, 2), (60, 20), (40, 200)])
@pytest.mark.parametrize("threshold", [0.5, 0.95, 1.0])
def test_the_subspace_is_orthonormal_whatever_the_vectors(tmp_path, count, dim, threshold):
    with opened(tmp_path / "f.npy", narrow(count, dim, 0.1)) as file:
        found = fit_bound(file, threshold)
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(found.width - 1), atol=1e-5)


def test_vectors_that_are_not_finite_and_those_without_length_do_not_spoil_it(tmp_path):
    vectors = narrow(200, 50, 0.1)
    vectors[3], vectors[5], vectors[7, 1] = 0, np.nan, np.inf
    with opened(tmp_path / "f.npy", vectors) as file:
        found = fit_bound(file, 0.9)
    assert np.isfinite(found.basis).all()
    kept = found(normalized(vectors))
    assert not kept[[3, 5, 7]].any()
    assert np.isfinite(kept).all()


def test_narrow_where_vectors_are_near_a_plane_and_the_threshold_is_high(tmp_path):
    with opened(tmp_path / "f.npy", narrow(500, 80, 0.02)) as file:
        assert fit_bound(file, 0.99).width == cosine_bound.WIDTHS[0]


def test_wide_where_that_saves_looking_at_most_pairs_but_not_beyond_the_memory(tmp_path, monkeypatch):
    numbers = np.random.default_rng(0)
    # Some directions vary less than others, in all of which vectors have to be known to tell them apart.
    vectors = numbers.standard_normal((1000, 120)) * 0.97 ** np.arange(120)
    with opened(tmp_path / "f.npy", vectors.astype(np.float32)) as file:
        assert fit_bound(file, 0.6).width == 64
        monkeypatch.setattr(cosine_bound, "MOST_BYTES", 4 * 1000 * 32)
        assert fit_bound(file, 0.6).width == 32
        monkeypatch.setattr(cosine_bound, "MOST_BYTES", 1)
        assert fit_bound(file, 0.6).width == cosine_bound.WIDTHS[0]
