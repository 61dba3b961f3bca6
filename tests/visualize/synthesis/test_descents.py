"""L-BFGS and Adam: they find the lowest place of functions whose lowest place is known."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.visualize.synthesis import adam, lbfgs


def bowl(x):
    """Curved a thousand times more one way than the other; lowest at 1, 2, 3."""
    curve, there = np.array([1.0, 30.0, 1000.0]), np.array([1.0, 2.0, 3.0])
    return 0.5 * float(curve @ (x - there) ** 2), curve * (x - there)


def valley(x):
    """Rosenbrock's, lowest at 1, 1."""
    a, b = x
    return 100 * (b - a * a) ** 2 + (1 - a) ** 2, np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])


@pytest.mark.parametrize(("function", "start", "there"), [(bowl, (0, 0, 0), (1, 2, 3)), (valley, (-1.2, 1), (1, 1))])
def test_lbfgs_finds_the_lowest_place(function, start, there):
    places = list(lbfgs.descend(function, np.array(start, float), 100, 0.1))
    values = [value for _, value in places]
    assert np.allclose(places[-1][0], there, atol=1e-4)
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(function(places[-1][0])[0])


def test_lbfgs_ends_where_it_cannot_get_lower():
    assert len(list(lbfgs.descend(bowl, np.array([1.0, 2.0, 3.0]), 100, 0.1))) < 3


def test_adam_finds_the_lowest_place():
    *_, (place, _) = adam.descend(bowl, np.zeros(3), 2000, 0.05)
    assert np.allclose(place, (1, 2, 3), atol=1e-2)


def test_the_start_stays_as_it_is():
    start = np.zeros(3)
    for descend in (lbfgs.descend, adam.descend):
        list(descend(bowl, start, 3, 0.1))
    assert not start.any()
