"""Schedules as functions of the share of the training that is done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.core.errors import UsageError
from zoo.training.schedule import SCHEDULES, Schedule


def test_cosine_rises_along_a_line_and_falls_as_half_a_wave():
    schedule = Schedule("cosine", warmup=0.2)
    assert schedule(0.0) == 0.0
    assert schedule(0.1) == pytest.approx(0.5)
    assert schedule(0.2) == pytest.approx(1.0)
    assert schedule(0.6) == pytest.approx(0.5)
    assert schedule(1.0) == pytest.approx(0.0)


def test_step_goes_down_at_its_milestones():
    schedule = Schedule("step", warmup=0.0, milestones=(0.5, 0.75), factor=0.1)
    assert [schedule(done) for done in (0.0, 0.49, 0.5, 0.74, 0.75, 1.0)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_linear_and_exponential_end_at_their_final_part():
    assert Schedule("linear", warmup=0.0, final=0.25)(1.0) == pytest.approx(0.25)
    assert Schedule("exponential", warmup=0.0, final=0.01)(0.5) == pytest.approx(0.1)


@given(
    name=st.sampled_from(sorted(SCHEDULES)),
    warmup=st.floats(0, 0.99),
    final=st.floats(1e-6, 1),
    done=st.floats(-1, 2, allow_nan=False),
)
def test_every_schedule_stays_between_nothing_and_the_peak(name, warmup, final, done):
    assert 0.0 <= Schedule(name, warmup=warmup, final=final)(done) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "cosinus"}, "one of constant"),
        ({"name": "cosine", "warmup": 1.5}, "share of the training"),
        ({"name": "cosine", "warm": 0.1}, "Did you mean 'warmup'"),
        ({"name": "exponential"}, "never reaches 0"),
        ({"name": "step", "milestones": [30, 60]}, "shares of the training"),
        ({"name": "linear", "final": "low"}, "a number"),
        ("cosine", "a mapping"),
    ],
)
def test_what_makes_no_sense_is_said(values, words):
    with pytest.raises(UsageError, match=words):
        Schedule.from_mapping(values)
