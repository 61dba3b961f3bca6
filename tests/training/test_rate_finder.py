"""The range test finds the steepest fall, and leaves no trace."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from zoo.training import rate_finder
from zoo.training.learner import Learner
from zoo.training.recipe import Recipe


class Batches:
    """Points of two classes that lie apart."""

    steps = 4

    def epoch(self, number, *, start=0):
        rng = np.random.default_rng(number)
        for _ in range(self.steps):
            labels = rng.integers(0, 2, 32)
            x = rng.normal(labels[:, None] * 2 - 1, 1.0, (32, 8)).astype("float32")
            yield x, np.eye(2, dtype="float32")[labels]


def learner():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dropout(0.2), keras.layers.Dense(2, activation="softmax")]
    )
    return Learner(model, Recipe(optimizer={"name": "adam"}), plain=keras.models.clone_model(model))


def test_a_rate_is_found_and_everything_is_as_it_was():
    one = learner()
    before = [np.array(value) for value in one.state()]
    found = rate_finder.find(one, Batches())
    assert found is not None
    assert 1e-4 < found < 1
    for then, now in zip(before, one.state(), strict=True):
        np.testing.assert_array_equal(then, now)


def test_the_steepest_fall_before_the_least():
    rates = np.geomspace(1e-6, 1, 13)
    losses = np.array([1, 1, 1, 0.99, 0.9, 0.6, 0.5, 0.45, 0.44, 0.6, 2, 9, 99])
    assert rate_finder.steepest(rates, losses) == pytest.approx(rates[5], rel=1e-6)


@pytest.mark.parametrize("losses", [[1, 2, 3, 4], [1, 0.99, 0.98, 0.97], [1.0]])
def test_where_nothing_falls_there_is_none(losses):
    assert rate_finder.steepest(np.geomspace(1e-6, 1, len(losses)), losses) is None
