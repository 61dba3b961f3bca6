"""The way up: one pace an image, no further than it has to go."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.visualize.synthesis.ascent import RATE, Ascent


def climbed(gradient, steps=50):
    ascent = Ascent(np.zeros(gradient.shape, "float32"), steps)
    for _ in range(steps):
        ascent.climb(gradient.astype("float32"))
    return ascent.parameters


def test_how_steep_a_image_is_does_not_count():
    gradient = np.random.default_rng(0).standard_normal((3, 4, 4))
    steep = gradient * np.array([1, 1e6, 1e-9])[:, None, None]
    assert np.allclose(climbed(gradient), climbed(steep), rtol=1e-3)


def test_within_a_image_it_does():
    gradient = np.array([[1.0, 0.1, -1.0]])
    (found,) = climbed(gradient)
    assert found[0] == pytest.approx(10 * found[1]) and found[2] == pytest.approx(-found[0])


def test_the_first_step_has_the_length_of_the_rate():
    assert climbed(np.full((1, 5), 7.0), steps=1) == pytest.approx(RATE)


def test_it_comes_to_rest():
    short, long = (climbed(np.ones((1, 4)), steps) for steps in (400, 4000))
    assert short == pytest.approx(1, abs=0.05) and long == pytest.approx(1, abs=0.01)


def test_a_image_without_a_slope_stays_as_it_is():
    gradient = np.stack([np.zeros(4), np.ones(4)])
    found = climbed(gradient)
    assert not found[0].any() and (found[1] > 0.5).all()
