"""Networks of these tests have the same weights every time."""

import keras
import pytest


@pytest.fixture(autouse=True)
def same_weights_every_time():
    keras.utils.set_random_seed(0)
