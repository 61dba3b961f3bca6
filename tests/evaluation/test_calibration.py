"""Calibration against what was put in, and against what must hold for any scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.test_metrics import ece, scored
from zoo.core.errors import UsageError
from zoo.evaluation import calibration, metrics
from zoo.evaluation.metrics import Predictions
from zoo.inference.temperature import apply_temperature, softmax

FAST = settings(max_examples=60, deadline=None)


def drawn(n=4000, classes=5, spread=2.0, seed=0):
    """Logits of a network that is as sure as it should be, and labels drawn by them."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, spread, (n, classes))
    shares = softmax(logits)
    labels = (shares.cumsum(axis=1) < random.random((n, 1))).sum(axis=1).clip(0, classes - 1)
    return logits, labels


# --- Reliability ----------------------------------------------------------------------------------------------------


@FAST
@given(scored())
def test_the_bins_amount_to_the_calibration_error(case):
    scores, labels = case
    bins = metrics.reliability(scores, labels)
    assert sum(entry.count for entry in bins) == len(labels)
    gaps = [entry.count * abs(entry.accuracy - entry.confidence) for entry in bins if entry.count]
    assert sum(gaps) / len(labels) == pytest.approx(ece(scores, labels), abs=1e-9)
    for entry in bins:
        if entry.count:
            assert entry.low - 1e-9 <= entry.confidence <= entry.high + 1e-9
        else:
            assert entry.accuracy is None and entry.confidence is None


# --- Temperature ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoilt_the_scores_is_found_again(wrong):
    logits, labels = drawn()
    found = calibration.fit_temperature(softmax(logits * wrong), labels)
    assert found == pytest.approx(wrong, rel=0.06)


def test_the_fitted_temperature_is_the_best_there_is():
    logits, labels = drawn(600, seed=3)
    scores = softmax(3 * logits)
    best = calibration.fit_temperature(scores, labels)
    losses = {
        t: metrics.cross_entropy(Predictions(apply_temperature(scores, t), labels))
        for t in (0.97 * best, best, 1.03 * best)
    }
    assert min(losses, key=losses.get) == best
    after = apply_temperature(scores, best)
    assert ece(after, labels) < 0.5 * metrics.expected_calibration_error(Predictions(scores, labels))


@FAST
@given(scored(), st.floats(0.2, 5))
def test_a_temperature_changes_no_order_and_keeps_the_sum(case, temperature):
    scores, _ = case
    tempered = apply_temperature(scores, temperature)
    assert tempered.sum(axis=1) == pytest.approx(1, abs=1e-5)
    best = scores.max(axis=1)
    assert np.take_along_axis(tempered, scores.argmax(axis=1)[:, None], 1)[:, 0] == pytest.approx(tempered.max(axis=1))
    assert ((tempered.max(axis=1) <= best + 1e-5) | (temperature < 1)).all()
    assert ((tempered.max(axis=1) >= best - 1e-5) | (temperature > 1)).all()


def test_one_leaves_scores_alone_and_two_steps_are_one():
    scores = softmax(drawn(20)[0])
    assert apply_temperature(scores, 1.0) is scores
    twice = apply_temperature(apply_temperature(scores, 2.0), 1.5)
    assert np.allclose(twice, apply_temperature(scores, 3.0), atol=1e-6)
    # An image alone, and probabilities that float32 has lost.
    assert apply_temperature(np.float32([1, 0, 0]), 2.0) == pytest.approx([1, 0, 0], abs=1e-6)


@pytest.mark.parametrize(("right", "words"), [(True, "all of them are right"), (False, "no better than chance")])
def test_no_temperature_is_made_up(right, words):
    labels = np.arange(12) % 3
    scores = np.full((12, 3), 0.1)
    scores[np.arange(12), labels if right else (labels + 1) % 3] = 0.8
    with pytest.raises(UsageError, match=words):
        calibration.fit_temperature(scores, labels)


def test_bins_are_at_least_one():
    with pytest.raises(UsageError, match="at least 1"):
        metrics.reliability(np.array([[0.9, 0.1]]), np.array([0]), bins=0)
