"""Numbers as colours: even steps, that print well, and no surprise where numbers are odd."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.core.spec import GREY
from zoo.reports.plots.colour_maps import diverging, sequential


def lightness(colours):
    return colours @ np.array(GREY)


def test_more_is_lighter_in_grey_print_too():
    light = lightness(sequential(np.linspace(0, 1, 200)))
    assert (np.diff(light) >= -0.5).all()
    assert light[0] < 5 and light[-1] > 235


def test_zero_is_white_and_both_signs_are_as_dark():
    values = np.linspace(0, 1, 50)
    minus, plus = lightness(diverging(-values)), lightness(diverging(values))
    assert minus[0] == plus[0] == 255
    assert (np.diff(minus) <= 0.5).all() and (np.diff(plus) <= 0.5).all()
    assert np.abs(minus - plus).max() < 40


def test_signs_are_blue_and_orange():
    blue, orange = diverging(np.array([-0.6, 0.6]))
    assert blue[2] > blue[0] + 100 and orange[0] > orange[2] + 100


@pytest.mark.parametrize("draw", [sequential, diverging])
def test_what_is_beyond_the_scale_or_no_number_is_drawn(draw):
    colours = draw(np.array([[2.0, -7.0, np.nan]]))
    assert colours.shape == (1, 3, 3) and colours.dtype == np.uint8
    assert (colours[0, :2] == draw(np.array([1.0, -1.0]))).all()
