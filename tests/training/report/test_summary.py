"""The sentences: figures that are those of the run, and every caveat when it applies and only then."""

from __future__ import annotations

import pytest

from tests.training.report.examples import evaluated, rows, run
from zoo.data.checks.findings import Finding
from zoo.reports.numbers import listed, number, percent
from zoo.training.report import RunReport
from zoo.training.report.summary import caveats, headline


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def said(report):
    return plain(" ".join(caveats(report)))


def test_the_headline():
    known = {"n": 372, "top1": 341 / 372, "top1_interval": [0.8841, 0.9412]}
    expected = "Of 372 test images it classifies 341 correctly: 91.7 % (95 % interval 88.4–94.1 %)."
    assert plain(headline(RunReport("x", metrics={"test": known, "val": {"n": 3, "top1": 1.0}}))) == expected


def test_many_images_deserve_more_digits():
    known = {"n": 10000, "top1": 0.9927, "top1_interval": [0.9908, 0.9942]}
    assert "9,927 correctly: 99.27 % (95 % interval 99.08–99.42 %)" in plain(
        headline(RunReport("x", metrics={"test": known}))
    )


def test_the_headline_of_validation_images():
    report = run(metrics={"val": {"n": 1, "top1": 1.0}})
    assert plain(headline(report)) == "Of 1 validation image it classifies 1 correctly: 100.0 %."


def test_the_headline_of_a_network_of_an_autoencoder():
    report = RunReport("x", metrics={"train": {"loss": 0.1}, "test": {"n": 10000, "loss": 0.02134}})
    assert headline(report) == "On 10,000 test images the mean squared error is 0.02134."


def test_the_headline_where_nothing_was_held_back():
    report = RunReport("x", metrics={"train": {"loss": 0.1, "top1": 0.5}})
    assert plain(headline(report)).endswith("the images it was trained on: its accuracy on them is 50.0 %.")
    assert "unknown" in said(report)
    assert headline(RunReport("x")) == "Nothing was evaluated in this run."


def test_who_chose_the_epoch():
    assert "test images had no influence" in said(run())
    summary, _ = evaluated(["a", "b"])
    assert "selected the best epoch" in said(run(metrics={"val": summary}))
    without = said(run(metrics={"val": summary}, history=rows(3, val=False)))
    assert "no test images" in without and "selected" not in without


def test_few_images():
    few, _ = evaluated(["a", "b"], each=50)
    many, _ = evaluated(["a", "b"], each=5000)
    assert "only 100 test images" in said(run(metrics={"test": few}))
    assert "only" not in said(run(metrics={"test": many}))


def test_classes_with_few_images():
    names = [f"c{i}" for i in range(9)]
    summary, _ = evaluated(names, each=9)
    assert "9 classes have fewer than 10 test images: c0 (9), c1 (9)" in said(run(metrics={"test": summary}))
    assert "and 3 more" in said(run(metrics={"test": summary}))
    assert "fewer than" not in said(run())


def test_without_looking():
    summary, _ = evaluated(["a", "b", "c", "d"])
    assert "Guessing would be correct for 25.0 % of the images." in said(run(metrics={"test": summary}))
    summary["per_class"][1] = summary["per_class"][1] | {"support": 40}
    assert "Always predicting “b” would be correct for 40.0 %" in said(run(metrics={"test": summary}))
    assert "no better than that" in said(run(metrics={"test": summary | {"top1": 0.4}}))


def test_a_class_that_is_never_predicted():
    summary, _ = evaluated(["a", "b"], wrong=0)
    summary["per_class"][1] = summary["per_class"][1] | {"precision": None}
    assert "Never predicted: b." in said(run(metrics={"test": summary}))
    assert "Never" not in said(run())


def test_learnt_by_heart():
    summary, _ = evaluated(["a", "b"], wrong=5)
    report = run(metrics={"train": {"top1": 0.99}, "test": summary})
    assert "classifies 99.0 % of the training images correctly, 24 points more" in said(report)
    assert "overfits" not in said(run())


@pytest.mark.parametrize(
    ("error", "expected"), [(0.019, "can be read as probabilities"), (0.2, "are not probabilities")]
)
def test_calibration(error, expected):
    summary, _ = evaluated(["a", "b"])
    assert expected in said(run(metrics={"test": summary | {"ece": error}}))


def test_what_the_check_found_comes_first():
    assert "found an error" in plain(caveats(run())[0])
    assert "1 file could not be read and is not included in any metric." in said(run())
    clean = run(findings=[Finding("imbalance", "Uneven.")], failed=[])
    assert "found" not in said(clean) and "read and" not in said(clean)


def test_numbers():
    assert [number(12345), number(0.123456), number(None), number(float("nan"))] == ["12,345", "0.1235", "—", "—"]
    assert percent(None) == "—"
    assert listed(["a"]) == "a"
