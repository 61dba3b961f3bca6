"""Metrics against numbers computed by hand and against what must hold for any scores."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zoo.core.errors import UsageError
from zoo.evaluation import metrics
from zoo.evaluation.metrics import Predictions

FAST = settings(max_examples=100, deadline=None)

#: Four images, three classes: right; second best; third best; a tie that the lower index wins.
SCORES = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.6, 0.1, 0.3], [0.4, 0.4, 0.2]])
LABELS = np.array([0, 1, 1, 0])
NAMES = ("ape", "bee", "cow")


def ece(scores, labels, bins=15):
    return metrics.expected_calibration_error(Predictions(scores, labels), bins)


@st.composite
def scored(draw):
    """Probabilities and labels of 1 to 30 images and 1 to 9 classes, ties among them."""
    shape = draw(st.tuples(st.integers(1, 30), st.integers(1, 9)))
    weights = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 4))) + 1e-3
    labels = draw(arrays.arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


# --- Top-k ----------------------------------------------------------------------------------------------------------


def test_top_k_by_hand():
    assert metrics.top_k(Predictions(SCORES, LABELS), 1) == 0.5
    assert metrics.top_k(Predictions(SCORES, LABELS), 2) == 0.75
    assert metrics.top_k(Predictions(SCORES, LABELS), 3) == 1.0
    assert metrics.top_k(Predictions(SCORES, LABELS), 9) == 1.0
    # The same tie, and now the class with the higher index is the true one.
    assert metrics.top_k(Predictions(SCORES[3:], np.array([1])), 1) == 0.0
    assert metrics.top_k(Predictions(SCORES[3:], np.array([1])), 2) == 1.0


@FAST
@given(scored())
def test_top_k_grows_with_k_up_to_1(case):
    scores, labels = case
    shares = [metrics.top_k(Predictions(scores, labels), k) for k in range(1, scores.shape[1] + 1)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] == float((scores.argmax(axis=1) == labels).mean())


# --- Interval -------------------------------------------------------------------------------------------------------


def test_interval_by_hand():
    # Wilson's formula with z = 1.959964: 8 of 10, and 90 of 100.
    assert metrics.wilson_interval(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert metrics.wilson_interval(90, 100) == pytest.approx((0.825634, 0.944771), abs=1e-6)
    # None or all right: the other end is z² / (n + z²).
    z2 = 1.959963984540054**2
    assert metrics.wilson_interval(0, 10) == (0.0, pytest.approx(z2 / (10 + z2)))
    assert metrics.wilson_interval(10, 10) == (pytest.approx(10 / (10 + z2)), 1.0)
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)
    assert metrics.wilson_interval(9, 10, 0.5) > metrics.wilson_interval(9, 10, 0.95)


@FAST
@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.999))
def test_interval_holds_the_estimate_within_0_and_1(counts, level):
    right, n = counts
    low, high = metrics.wilson_interval(right, n, level)
    assert 0 <= low <= right / n <= high <= 1


def test_interval_is_as_sure_as_it_says():
    # Binomial samples of a known accuracy: the interval holds it in about 95 of 100.
    draws = np.random.default_rng(0).binomial(200, 0.9, 4000)
    held = np.mean([low <= 0.9 <= high for low, high in (metrics.wilson_interval(int(right), 200) for right in draws)])
    assert 0.935 < held < 0.965


@pytest.mark.parametrize("arguments", [(5, 4), (-1, 4), (1, 4, 0.0), (1, 4, 1.0)])
def test_interval_of_nonsense(arguments):
    with pytest.raises(UsageError, match="no interval"):
        metrics.wilson_interval(*arguments)


# --- Confusion ------------------------------------------------------------------------------------------------------


def test_confusion_by_hand():
    matrix = metrics.confusion_matrix(np.array([0, 0, 0, 2]), LABELS, 3)
    assert matrix.tolist() == [[1, 0, 1], [2, 0, 0], [0, 0, 0]]
    assert matrix.dtype == np.int64
    assert metrics.confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]
    # Labels as small as they are stored; 16 classes have 256 pairs.
    small = np.array([15], np.uint8)
    assert metrics.confusion_matrix(small, small, 16)[15, 15] == 1


@FAST
@given(scored())
def test_confusion_counts_every_image_once(case):
    scores, labels = case
    predicted, classes = scores.argmax(axis=1), scores.shape[1]
    matrix = metrics.confusion_matrix(predicted, labels, classes)
    assert matrix.sum() == len(labels)
    assert matrix.sum(axis=1).tolist() == np.bincount(labels, minlength=classes).tolist()
    assert matrix.sum(axis=0).tolist() == np.bincount(predicted, minlength=classes).tolist()
    assert np.trace(matrix) == (predicted == labels).sum()


def predictions_of(matrix):
    """Predictions with a given confusion matrix."""
    matrix = np.array(matrix)
    labels, predicted = (np.repeat(places, matrix.ravel()) for places in np.indices(matrix.shape).reshape(2, -1))
    return Predictions(np.eye(len(matrix))[predicted], labels)


def test_per_class_by_hand():
    matrix = [[8, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    ape, bee, cow, dog = metrics.per_class(predictions_of(matrix))
    assert ape == {"precision": 8 / 9, "recall": 0.8, "f1": pytest.approx(2 * 8 / 19), "support": 10}
    assert bee == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    # No image and never predicted; one image and never predicted.
    assert cow == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert dog == {"precision": None, "recall": 0.0, "f1": 0.0, "support": 1}


@FAST
@given(scored())
def test_f1_is_the_harmonic_mean(case):
    for row in metrics.per_class(Predictions(*case)):
        if row["precision"] and row["recall"]:
            assert row["f1"] == pytest.approx(2 / (1 / row["precision"] + 1 / row["recall"]))


def test_macro_f1_by_hand():
    # Of three apes two are right and one is called a cow; a bee is right; no cow is there. F1: 4/5, 1 and 0.
    found = predictions_of([[2, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert metrics.macro_f1(found) == pytest.approx((4 / 5 + 1 + 0) / 3)
    assert metrics.balanced_accuracy(found) == pytest.approx((2 / 3 + 1) / 2)


@FAST
@given(scored())
def test_macro_f1_and_balanced_accuracy_are_those_of_scikit_learn(case):
    sklearn = pytest.importorskip("sklearn.metrics")
    found = Predictions(*case)
    expected = sklearn.f1_score(found.labels, found.predicted, average="macro", zero_division=0)
    assert metrics.macro_f1(found) == pytest.approx(expected)
    occur = np.unique(found.labels)
    expected = sklearn.recall_score(found.labels, found.predicted, labels=occur, average="macro")
    assert metrics.balanced_accuracy(found) == pytest.approx(expected)


def test_most_confused_by_hand():
    matrix = np.array([[9, 2, 5], [2, 9, 0], [0, 1, 9]])
    expected = [("ape", "cow", 5), ("ape", "bee", 2), ("bee", "ape", 2), ("cow", "bee", 1)]
    assert metrics.most_confused(matrix, NAMES) == expected
    assert metrics.most_confused(matrix, NAMES, limit=2) == expected[:2]
    assert metrics.most_confused(np.eye(3, dtype=int), NAMES) == []
    assert matrix.trace() == 27, "the matrix is left as it was"


# --- Loss and calibration -------------------------------------------------------------------------------------------


def test_cross_entropy_by_hand():
    expected = -(math.log(0.7) + math.log(0.3) + math.log(0.1) + math.log(0.4)) / 4
    assert metrics.cross_entropy(Predictions(SCORES, LABELS)) == pytest.approx(expected)
    certain = np.array([[1.0, 0.0]])
    assert str(metrics.cross_entropy(Predictions(certain, np.array([0])))) == "0.0"
    assert metrics.cross_entropy(Predictions(certain, np.array([1]))) == pytest.approx(-math.log(1e-7))


def test_calibration_by_hand():
    # Ten equal bins. 0.85 twice, one right: a gap of 0.35; 0.55 once, right: 0.45; 1.0 once, wrong: 1.
    scores = np.array([[0.85, 0.15], [0.85, 0.15], [0.45, 0.55], [1.0, 0.0]])
    labels = np.array([0, 1, 1, 1])
    assert ece(scores, labels, bins=10) == pytest.approx((2 * 0.35 + 0.45 + 1) / 4)
    # One bin: accuracy 0.5, mean confidence 0.8125.
    assert ece(scores, labels, bins=1) == pytest.approx(0.3125)
    # A bin holds its upper end: 0.5 is alone in the lower of two.
    ends = np.array([[0.5, 0.5], [0.7, 0.3]])
    assert ece(ends, np.array([0, 1]), bins=2) == pytest.approx((0.5 + 0.7) / 2)


def test_calibration_of_a_calibrated_network_is_almost_0_and_of_a_boaster_is_not():
    random = np.random.default_rng(0)
    weights = random.gamma(0.5, size=(50000, 5))
    scores = weights / weights.sum(axis=1, keepdims=True)
    labels = (random.random((50000, 1)) > scores.cumsum(axis=1)[:, :-1]).sum(axis=1)
    assert ece(scores, labels) < 0.01
    boasts = scores**4
    assert metrics.expected_calibration_error(Predictions(boasts / boasts.sum(axis=1, keepdims=True), labels)) > 0.1


@FAST
@given(scored(), st.integers(1, 40))
def test_calibration_error_is_a_share_and_at_least_the_gap_of_the_means(case, bins):
    scores, labels = case
    error = metrics.expected_calibration_error(Predictions(scores, labels), bins)
    gap = abs((scores.argmax(axis=1) == labels).mean() - scores.max(axis=1).mean())
    assert gap - 1e-9 <= error <= 1


# --- Summary --------------------------------------------------------------------------------------------------------


def test_summary_by_hand():
    report = metrics.summary(SCORES, LABELS, NAMES)
    assert (report["n"], report["top1"]) == (4, 0.5)
    assert report["top5"] is report["top5_interval"] is None
    assert report["top1_interval"] == pytest.approx([0.150039, 0.849961], abs=1e-6)
    assert report["loss"] == metrics.cross_entropy(Predictions(SCORES, LABELS))
    assert report["ece"] == metrics.expected_calibration_error(Predictions(SCORES, LABELS))
    # Recall 1 and 0, and no cow; F1 2·2/6 and 0.
    assert report["balanced_accuracy"] == 0.5
    assert report["macro_f1"] == pytest.approx(1 / 3)
    assert report["per_class"][0] == {"name": "ape", "precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 2}
    assert report["most_confused"] == [{"truth": "bee", "predicted": "ape", "count": 2}]


@FAST
@given(scored())
def test_summary_is_plain_json(case):
    scores, labels = case
    report = metrics.summary(scores.astype(np.float32), labels, [f"class {i}" for i in range(scores.shape[1])])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["top5"] is not None) == (scores.shape[1] > 5)
    assert report["top1_interval"][0] <= report["top1"] <= report["top1_interval"][1]


def test_without_images_every_metric_is_unknown():
    found = metrics.compute(None)
    assert all(found[metric.key] is None for metric in metrics.METRICS)
    assert found["top1_interval"] == [0.0, 1.0]


@FAST
@given(scored())
def test_every_metric_of_the_table_is_computed(case):
    found = metrics.compute(Predictions(*case))
    assert len({metric.key for metric in metrics.METRICS}) == len(metrics.METRICS)
    for metric in metrics.METRICS:
        assert found[metric.key] is None or metric.written(found[metric.key])
        assert (f"{metric.key}_interval" in found) == metric.interval


# --- Wrong input ----------------------------------------------------------------------------------------------------

ALL = [Predictions, lambda scores, labels: metrics.summary(scores, labels, NAMES)]


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("scores", "labels", "sentence"),
    [
        (SCORES[:0], LABELS[:0], "Expected scores of shape"),
        (SCORES[0], LABELS, "Expected scores of shape"),
        (SCORES, LABELS[:3], "4 images and 3 labels"),
        (SCORES, np.array([0, 1, 2, 3]), "from 0 to 2. Received: 0 to 3"),
        (SCORES, np.array([0, 1, 2, -1]), "Received: -1 to 2"),
        (SCORES, np.array([0.0, 1, 2, 0]), "integers"),
        (np.where([[0], [0], [1], [0]], np.nan, SCORES), LABELS, r"for 1 of 4 images \(the first is number 3\)"),
        (np.where([[0], [1], [1], [0]], np.inf, SCORES), LABELS, r"for 2 of 4 images \(the first is number 2\)"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(metric, scores, labels, sentence):
    with pytest.raises(UsageError, match=sentence):
        metric(scores, labels)


def test_other_nonsense_is_refused():
    with pytest.raises(UsageError, match="at least 1"):
        metrics.top_k(Predictions(SCORES, LABELS), 0)
    with pytest.raises(UsageError, match="at least 1"):
        metrics.expected_calibration_error(Predictions(SCORES, LABELS), bins=0)
    with pytest.raises(UsageError, match="2 predictions and 1 labels"):
        metrics.confusion_matrix(np.array([0, 1]), np.array([0]), 2)
    with pytest.raises(UsageError, match="3 scores for each image and 2 names"):
        metrics.summary(SCORES, LABELS, NAMES[:2])


# --- Two classifiers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "p"),
    # Of a fair coin: 2 · (1 + 10) / 2¹⁰; 2 / 2⁵; all the same; nothing at all.
    [(1, 9, 22 / 1024), (0, 5, 2 / 32), (5, 5, 1.0), (0, 0, 1.0), (6, 5, 1.0)],
)
def test_mcnemar_by_hand(one, other, p):
    assert metrics.mcnemar(one, other) == pytest.approx(p)
    assert metrics.mcnemar(other, one) == metrics.mcnemar(one, other)


@FAST
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_a_probability_that_falls_as_they_part(one, other):
    p = metrics.mcnemar(one, other)
    assert 0 <= p <= 1
    assert metrics.mcnemar(max(one, other) + 1, min(one, other)) <= p + 1e-12


def test_mcnemar_of_many_images_does_not_overflow():
    assert metrics.mcnemar(0, 20_000) == 0.0
    assert metrics.mcnemar(10_000, 10_100) > 0.4
    with pytest.raises(UsageError):
        metrics.mcnemar(-1, 2)
