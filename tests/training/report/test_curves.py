"""Curves: what is recorded is drawn, at its place, and what is not recorded leaves a gap."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.reports.html.reader import Page
from tests.training.report.examples import rows, run
from zoo.reports.html.svg import bar
from zoo.training.report import RunReport, curves
from zoo.training.report.accuracy_chart import accuracy_chart


def drawn(report):
    return [Page(chart) for chart in curves.curves(report)]


def titles(report):
    return [page.texts[0][1] for page in drawn(report)]


def numbers(path):
    return [float(value) for value in re.findall(r"-?\d+\.\d", path)]


def test_three_charts():
    assert titles(run()) == ["Loss", "Top-1 accuracy", "Learning rate"]


def test_only_what_was_recorded():
    assert titles(RunReport("x")) == []
    assert titles(RunReport("x", history=[{"loss": 1.0}])) == ["Loss"]
    nothing = [{"epoch": 1, "loss": float("nan"), "top1": None}]
    assert titles(RunReport("x", history=nothing)) == []


def test_both_sets_have_a_line_with_its_name():
    loss, accuracy, rate = drawn(run())
    for page in (loss, accuracy):
        assert [path["class"] for path in page.all("path")] == ["line train", "line val"]
        assert [text["class"] for text in page.all("text", "name")] == ["name train", "name val"]
    assert [path["class"] for path in rate.all("path")] == ["line rate"]
    without = drawn(run(history=rows(5, val=False)))[0]
    assert [path["class"] for path in without.all("path")] == ["line train"]


def test_a_better_accuracy_stands_higher():
    _, accuracy, _ = drawn(run())
    points = numbers(accuracy.all("path")[0]["d"])
    assert points[0::2] == sorted(points[0::2])
    assert points[1::2] == sorted(points[1::2], reverse=True)


def test_the_best_epoch_is_marked_at_its_place():
    _, accuracy, _ = drawn(run())
    (mark,) = accuracy.all("circle", "mark")
    points = numbers(accuracy.all("path", "val")[0]["d"])
    assert (float(mark["cx"]), float(mark["cy"])) == (points[20], points[21])
    assert "best epoch 11" in accuracy.all("svg")[0]["aria-label"]


def test_phases_have_a_boundary_and_names():
    loss, _, rate = drawn(run())
    assert len(loss.all("line", "boundary")) == len(rate.all("line", "boundary")) == 1
    assert "head" in loss.text and "partial" in loss.text
    assert "head" not in rate.text
    boundary = float(loss.all("line", "boundary")[0]["x1"])
    points = numbers(loss.all("path")[0]["d"])[0::2]
    assert points[4] < boundary < points[5]


def test_one_phase_needs_no_boundary():
    assert not drawn(run(phases=run().phases[:1]))[0].all("line", "boundary")


def test_a_gap_where_there_is_no_number():
    history = rows(5, val=False)
    history[2]["loss"] = float("inf")
    path = drawn(run(history=history))[0].all("path")[0]["d"]
    assert path.count("M") == 2 and len(numbers(path)) == 8


def test_a_number_alone_is_a_dot():
    assert "h0" in drawn(RunReport("x", history=[{"loss": 1.0}]))[0].all("path")[0]["d"]


def test_names_of_lines_do_not_touch():
    history = [{"loss": 1.0, "val_loss": 1.0}, {"loss": 0.5, "val_loss": 0.5}]
    heights = [float(text["y"]) for text in drawn(RunReport("x", history=history))[0].all("text", "name")]
    assert abs(heights[0] - heights[1]) >= 13


def test_everything_stays_on_the_drawing():
    for count in (1, 2, 40):
        for page in drawn(run(history=rows(count), best_epoch=count)):
            _, _, width, height = map(float, page.all("svg")[0]["viewbox"].split())
            for path in page.all("path"):
                points = numbers(path["d"])
                assert all(0 < x < width for x in points[0::2])
                assert all(0 < y < height for y in points[1::2])


def test_thousands_of_epochs_are_thinned():
    thin = curves.thinned(rows(9000), best=4444)
    assert len(thin) <= curves.LIMIT + 2
    assert {1, 4444, 9000} <= {row["epoch"] for row in thin}


def test_the_interval_of_each_split():
    page = Page(accuracy_chart(run()))
    assert len(page.all("rect", "range")) == len(page.all("line", "point")) == 2
    assert page.text.count("90.0 %, 95 % interval") == 2
    assert "The dashed line is guessing: 33.3 %." in page.text


def test_no_accuracy_no_interval():
    assert accuracy_chart(RunReport("x", metrics={"test": {"n": 5, "loss": 0.1}})) is None


@pytest.mark.parametrize(("share", "length"), [(0.0, "0.0"), (0.5, "30.0"), (np.float64(1), "60.0")])
def test_a_bar(share, length):
    assert Page(bar(share)).all("path")[0]["d"] == f"M0 3h{length}"


def test_no_bar_without_a_number():
    assert bar(None) == ""
