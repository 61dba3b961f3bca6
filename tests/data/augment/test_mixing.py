from __future__ import annotations

import numpy as np
import pytest

from tests.data.chance import images
from zoo.data.augment import erasing, mixing
from zoo.data.augment.config import Augment


@pytest.mark.parametrize(("side", "length"), [(8, 8), (0.25, 8), (5, 5)])
def test_cutout_hides_a_square(side, length):
    batch = np.full((300, 32, 40, 3), 200, np.uint8)
    x = erasing.cutout(batch, Augment(cutout=side, fill_value=17), np.random.default_rng(0))
    hidden = (x == 17).all(-1)
    assert hidden.sum((1, 2)).max() == length**2
    # Over the edge it is smaller, by three quarters at most.
    assert hidden.sum((1, 2)).min() >= (length // 2) ** 2
    assert ((x == 200) | (x == 17)).all()
    # Everywhere, and not only in the middle.
    assert hidden[:, ::31, ::39].any(0).all()
    assert hidden.any(0).mean() > 0.99


def test_erasing_befalls_some():
    batch = np.full((500, 32, 32), 200, np.uint8)
    x = erasing.erase(batch, Augment(erase=0.3), np.random.default_rng(0))
    touched = (x != batch).mean((1, 2))
    assert abs((touched > 0).mean() - 0.3) < 0.06
    assert touched.max() < 0.36
    assert 0.1 < touched[touched > 0].mean() < 0.25


def test_mixup_is_the_mean_of_images_and_of_labels():
    batch, labels = images(5)
    labels = np.eye(5, dtype=np.float32)
    x, y = mixing.mix(batch, labels, Augment(mixup=1.0), np.random.default_rng(1))
    for number, row in enumerate(y):
        share = row[number]
        other = next((k for k in range(5) if k != number and row[k] > 0), number)
        expected = share * batch[number].astype(float) + (1 - share) * batch[other].astype(float)
        assert np.abs(x[number] - expected).max() <= 0.5 + 1e-3


def test_cutmix_weighs_labels_by_area():
    batch = np.repeat(np.arange(6, dtype=np.uint8) * 10, 30 * 20 * 3).reshape(6, 30, 20, 3)
    for seed in range(20):
        x, y = mixing.mix(batch, np.eye(6, dtype=np.float32), Augment(cutmix=1.0), np.random.default_rng(seed))
        for number in range(6):
            shares = [(x[number, ..., 0] == 10 * other).mean() for other in range(6)]
            assert np.allclose(shares, y[number], atol=1e-6)


def test_with_both_each_batch_takes_one():
    batch = np.repeat(np.array([0, 200], np.uint8), 8 * 8).reshape(2, 8, 8)
    labels = np.eye(2, dtype=np.float32)
    mixed = [
        mixing.mix(batch, labels, Augment(mixup=1.0, cutmix=1.0), np.random.default_rng(seed))[0] for seed in range(80)
    ]
    assert 20 < sum(np.isin(x, (0, 200)).all() for x in mixed) < 75
