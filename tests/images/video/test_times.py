"""How often, which moment, and how times are written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.core.errors import UsageError
from zoo.images.video.times import Every, clock, milliseconds, moment, split_moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", Every(milliseconds=1000)),
        ("0.5s", Every(milliseconds=500)),
        ("500ms", Every(milliseconds=500)),
        ("2m", Every(milliseconds=120_000)),
        ("1.5h", Every(milliseconds=5_400_000)),
        (" 1s ", Every(milliseconds=1000)),
        ("30f", Every(frames=30)),
        ("1f", Every(frames=1)),
    ],
)
def test_every(text, expected):
    assert Every.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "s", "0s", "0f", "-1s", "1.5f", "0.0001s", "1 s", "1sec", "1e3s", "inf", "1,5s", "١s", "nan"]
)
def test_what_every_does_not_take(text):
    with pytest.raises(UsageError, match=r"--every takes .*\. Received: "):
        Every.parse(text)


@given(st.text(max_size=12))
def test_every_takes_a_text_or_says_why_not(text):
    try:
        every = Every.parse(text)
    except UsageError:
        return
    assert (every.milliseconds or every.frames or 0) >= 1


@given(st.text(min_size=1), st.integers(0, 10**9))
def test_a_moment_is_found_again(file, time):
    assert split_moment(moment(file, time)) == (file, time)


@pytest.mark.parametrize("path", ["clip.mp4", "clip.mp4#t=", "#t=1", "clip.mp4#t=1.0000", "clip.mp4#t=-1", "a#t=1s"])
def test_what_is_no_moment(path):
    assert split_moment(path) is None


def test_a_frame_is_on_the_screen_by_the_time_that_is_written():
    assert milliseconds(Fraction(31 * 1001, 30000)) == 1035
    assert milliseconds(Fraction(12)) == 12_000


def test_clock():
    assert [clock(seconds) for seconds in (0, 59.4, 60, 3599.6, 3725)] == ["0:00", "0:59", "1:00", "1:00:00", "1:02:05"]
    assert clock(59.999, decimals=2) == "1:00.00"
    assert clock(61.5, decimals=1) == "1:01.5"
