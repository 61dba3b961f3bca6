"""Scales: values where they belong, and few round numbers beside them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.reports.scales import Scale, ticks, value_scale

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda value: round(value, 6))


def test_a_linear_scale():
    scale = Scale(0, 10, 100, 0)
    assert [scale(0), scale(5), scale(10)] == [100, 50, 0]


def test_a_logarithmic_scale():
    scale = Scale(0.01, 1, 0, 100, log=True)
    assert scale(0.1) == pytest.approx(50)
    assert scale.ticks(10) == pytest.approx([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])


def test_much_span_makes_a_loss_logarithmic_and_never_an_accuracy():
    assert value_scale([0.01, 2], 0, 1, share=False).log
    assert not value_scale([1, 2], 0, 1, share=False).log
    assert not value_scale([0, 2], 0, 1, share=False).log
    assert not value_scale([0.01, 1], 0, 1, share=True).log


def test_a_share_stays_within_0_and_1():
    scale = value_scale([0.0, 1.0], 0, 1, share=True)
    assert (scale.low, scale.high) == (0, 1)


def test_round_numbers():
    assert ticks(0, 1, 6) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(1, 40, 8, whole=True) == [5, 10, 15, 20, 25, 30, 35, 40]
    assert ticks(1, 41, 7, whole=True) == [10, 20, 30, 40]
    assert ticks(1, 5, 8, whole=True) == [1, 2, 3, 4, 5]
    assert ticks(1, 1, 8, whole=True) == [1]


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.booleans())
def test_every_value_has_a_place(values, share):
    values = [min(1.0, abs(value)) for value in values] if share else values
    scale = value_scale(values, 200, 10, share=share)
    assert all(10 - 1e-6 <= scale(value) <= 200 + 1e-6 for value in values)
    marks = scale.ticks(6)
    assert len(marks) <= 8
    assert all(math.isfinite(scale(mark)) and 9.9 <= scale(mark) <= 200.1 for mark in marks)


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_epochs_have_whole_numbers(first, more):
    marks = ticks(first, first + more, 8, whole=True)
    assert 1 <= len(marks) <= 8
    assert all(mark == int(mark) and first <= mark <= first + more for mark in marks)
