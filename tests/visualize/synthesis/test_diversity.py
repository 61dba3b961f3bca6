"""How alike images are, whatever is where in them."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from zoo.visualize.synthesis.diversity import similarity


def alike(features, group):
    return ops.convert_to_numpy(similarity(ops.convert_to_tensor(features.astype("float32")), group))


def test_where_something_is_does_not_count():
    features = np.random.default_rng(0).standard_normal((1, 4, 4, 6))
    assert alike(np.concatenate([features, 3 * features[:, ::-1]]), 2) == pytest.approx(1, abs=1e-4)


def test_images_with_nothing_in_common():
    features = np.zeros((3, 2, 2, 3))
    for number in range(3):
        features[number, ..., number] = 1
    assert alike(features, 3) == pytest.approx(0, abs=1e-6)


def test_only_the_own_group_counts():
    features = np.random.default_rng(0).standard_normal((4, 3, 3, 5))
    assert alike(features, 2)[:2] == pytest.approx(alike(features[:2], 2))


def test_vectors_have_no_places():
    assert alike(np.array([[1.0, 0.0], [1.0, 0.0]]), 2) == pytest.approx(1, abs=1e-5)
