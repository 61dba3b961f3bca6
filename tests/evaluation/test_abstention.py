"""Abstention: thresholds by hand, and against all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.test_metrics import FAST, scored
from zoo.core.errors import UsageError
from zoo.evaluation import abstention

#: Sure to unsure: right, right, wrong, right, and two that are equally sure, right and wrong.
SCORES = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.65, 0.35], [0.6, 0.4], [0.6, 0.4]])
LABELS = np.array([0, 0, 1, 0, 0, 1])


@pytest.mark.parametrize(
    ("precision", "threshold", "answered", "right"),
    [(1.0, 0.8, 2, 2), (0.75, 0.65, 4, 3), (0.6, 0.6, 6, 4), (0.8, 0.8, 2, 2)],
)
def test_the_threshold_by_hand(precision, threshold, answered, right):
    found = abstention.find_threshold(SCORES, LABELS, precision)
    assert (found.threshold, found.answered, found.right) == (threshold, answered, right)
    assert found.coverage == answered / 6 and found.precision == right / answered
    assert abstention.apply_threshold(SCORES, LABELS, found.threshold) == found


@FAST
@given(scored(), st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]))
def test_no_threshold_answers_more(case, precision):
    scores, labels = case
    found = abstention.find_threshold(scores, labels, precision)
    every = [abstention.apply_threshold(scores, labels, t) for t in scores.max(axis=1).round(6)]
    good = [one for one in every if one.right >= precision * one.answered - 1e-9]
    assert (found is None) == (not good)
    if found is not None:
        assert found.answered == max(one.answered for one in good)


@pytest.mark.parametrize("precision", [0, 1.1])
def test_a_precision_out_of_range_is_refused(precision):
    with pytest.raises(UsageError, match="Received"):
        abstention.find_threshold(SCORES, LABELS, precision)
