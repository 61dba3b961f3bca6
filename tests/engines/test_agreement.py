"""How far two forms of a network agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zoo.engines.agreement import compare, cosine

NUMBERS = hnp.arrays("float32", (4, 6), elements=st.floats(-1e3, 1e3, width=32))


def structured(features, probabilities=None, **layers):
    columns = {"features": features, **layers}
    if probabilities is not None:
        columns["probabilities"] = probabilities
    columns = {name: np.asarray(values, "float32") for name, values in columns.items()}
    rows = np.empty(len(columns["features"]), [(name, "float32", one.shape[1:]) for name, one in columns.items()])
    for name, one in columns.items():
        rows[name] = one
    return rows


def test_the_cosine_is_that_of_the_angle():
    one = np.array([[1, 0], [1, 0], [1, 0], [1, 1]], "float32")
    two = np.array([[2, 0], [0, 5], [-3, 0], [1, 0]], "float32")
    assert cosine(one, two) == pytest.approx([1, 0, -1, np.sqrt(0.5)])


def test_nothing_is_like_nothing_and_like_nothing_else():
    one = np.array([[0, 0], [0, 0], [np.nan, 1], [np.inf, 1]], "float32")
    two = np.array([[0, 0], [1, 0], [1, 1], [1, 1]], "float32")
    assert cosine(one, two).tolist() == [1, 0, 0, 0]


@given(NUMBERS, NUMBERS, st.floats(0.01, 100))
def test_the_cosine_has_bounds_and_knows_no_scale(one, two, scale):
    values = cosine(one, two)
    assert (np.abs(values) <= 1).all()
    assert values == pytest.approx(cosine(two, one))
    assert values == pytest.approx(cosine(one, two.astype("float64") * scale), abs=1e-6)
    assert cosine(one, one) == pytest.approx(np.ones(len(one)))


def test_maps_are_compared_as_one_vector():
    maps = np.random.default_rng(0).normal(size=(3, 2, 2, 4)).astype("float32")
    found = compare(maps, 3 * maps, calibrated=9)
    assert (found.cosine, found.least) == pytest.approx((1, 1))
    assert (found.calibrated, found.checked, found.top1) == (9, 3, None)


def test_of_several_layers_the_worst_counts_and_of_classes_the_best():
    same, turned = [[1, 0], [0, 1]], [[1, 0], [1, 0]]
    reference = structured(same, [[0.9, 0.1], [0.2, 0.8]], features_b=same)
    other = structured(same, [[0.6, 0.4], [0.7, 0.3]], features_b=turned)
    found = compare(reference, other, calibrated=5)
    assert (found.cosine, found.least, found.top1) == (0.5, 0.0, 0.5)
    assert found.describe() == (
        "mean cosine similarity 0.5000 (worst image 0.000), the same class for 50.0%, on 2 images other than the 5 "
        "for calibration"
    )
    assert "class" not in compare(structured(same), structured(same), calibrated=5).describe()
