"""Networks side by side: the table of answers that are known, and the refusal of what is no comparison."""

from __future__ import annotations

import json

import pytest

from zoo.core.errors import UsageError
from zoo.evaluation import compare as comparison
from zoo.evaluation.compare import Comparison
from zoo.evaluation.measure import Measured


def measured(ranks, answers, latency=5.0, classes=10):
    failed = [("bad.jpg", "the file is empty")] if 0 in ranks else []
    return Measured(ranks, list(answers), failed, classes, latency, 100.0, 150.0, "cpu", "openvino")


#: Truth: a a a b b b, and one that nobody could read.
GOOD = measured([1, 1, 1, 1, 1, 2, 0], "aaabba ")
POOR = measured([1, 3, 9, 1, 2, 1, 0], "acbbab ")
QUICK = measured([1, 1, 1, 1, 1, 2, 0], "aaabba ", latency=1.0, classes=5)


def test_the_best_stands_first_and_of_equals_the_quickest():
    rows, pairs = comparison._rows(["poor", "good", "quick"], [POOR, GOOD, QUICK], [1.0, 2.0, None])
    assert [row.model for row in rows] == ["quick", "good", "poor"]
    assert [row.n for row in rows] == [6, 6, 6]
    assert [row.top1 for row in rows] == [5 / 6, 5 / 6, 3 / 6]
    # Of five classes the five best are all.
    assert [row.top5 for row in rows] == [None, 1.0, 5 / 6]
    assert [row.size_mb for row in rows] == [None, 2.0, 1.0]
    assert [row.agreement for row in rows] == [None, 1.0, 2 / 6]
    assert [row.p for row in rows] == [None, 1.0, pytest.approx(2 * (1 + 4) / 16)]
    assert [(pair.one, pair.other) for pair in pairs] == [("quick", "good"), ("quick", "poor"), ("good", "poor")]
    assert (pairs[1].only_one, pairs[1].only_other, pairs[1].n) == (3, 1, 6)


def test_the_summary_is_plain_json():
    rows, pairs = comparison._rows(["good", "poor"], [GOOD, POOR], [2.0, 1.0])
    found = Comparison("photos", "test", 6, rows, pairs, (("bad.jpg", "the file is empty"),))
    about = found.summary()
    assert json.loads(json.dumps(about)) == about
    assert about["models"][0]["top1_interval"][0] < 5 / 6 < about["models"][0]["top1_interval"][1]
    assert about["failed"] == [{"path": "bad.jpg", "error": "the file is empty"}]


def test_nothing_could_be_read():
    nothing = measured([0, 0], ["", ""])
    rows, (pair,) = comparison._rows(["a", "b"], [nothing, nothing], [None, None])
    assert rows[0].top1 is None and rows[0].top1_interval == (0.0, 1.0)
    assert (pair.n, pair.agreement, pair.p) == (0, None, 1.0)


@pytest.mark.parametrize("models", [[], ["lenet5"], ["lenet5", "lenet5"]])
def test_one_network_is_no_comparison(models, tmp_path):
    with pytest.raises(UsageError, match="at least two different models"):
        comparison.compare(models, tmp_path)
