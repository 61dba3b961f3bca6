from __future__ import annotations

import numpy as np

from tests.data.chance import Fixed, images
from zoo.data.augment import colour
from zoo.data.augment.config import Augment


def test_brightness_multiplies():
    batch, _ = images()
    x = colour.jitter(batch, Augment(brightness=0.5), Fixed())
    assert np.array_equal(x, np.clip(np.rint(batch * 1.5), 0, 255))


def test_contrast_keeps_the_mean_grey():
    batch, _ = images()
    batch = batch // 3 + 80
    x = colour.jitter(batch, Augment(contrast=0.4), Fixed())
    assert np.allclose((x @ colour.GREY).mean((1, 2)), (batch @ colour.GREY).mean((1, 2)), atol=0.5)
    assert np.allclose(x.std((1, 2)), 1.4 * batch.std((1, 2)), rtol=0.02)


def test_saturation_and_hue_keep_greys_and_every_pixels_grey():
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, -1)
    for augment in (Augment(saturation=0.9), Augment(hue=0.3)):
        assert np.array_equal(colour.jitter(grey, augment, Fixed()), grey)
        batch, _ = images()
        batch = batch // 4 + 96
        x = colour.jitter(batch, augment, Fixed())
        assert np.abs(x @ colour.GREY - batch @ colour.GREY).max() < 1.5
        assert np.abs(x.astype(int) - batch).mean() > 3


def test_a_whole_turn_of_hue_is_none():
    batch, _ = images()
    half = Augment(hue=0.5)
    turned = colour.jitter(batch // 4 + 96, half, Fixed())
    assert np.abs(colour.jitter(turned, half, Fixed()).astype(int) - (batch // 4 + 96)).max() <= 2


def test_noise_has_its_deviation_and_no_bias():
    batch = np.full((4, 64, 64, 3), 128, np.uint8)
    x = colour.noise(batch, Augment(noise=10), np.random.default_rng(0)).astype(float)
    assert abs(x.std() - 10) < 0.2
    assert abs(x.mean() - 128) < 0.2
