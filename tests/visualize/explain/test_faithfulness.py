"""Deletion and insertion on a network of which it is known what its class needs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.visualize.networks import noise, of_quadrants, quadrant
from zoo.core.errors import UsageError
from zoo.visualize.explain.faithfulness import Faithfulness, centred_gaussian, measure, random_map
from zoo.visualize.explain.masking import blurred
from zoo.visualize.network.inspected_model import InspectedModel


class Recorder:
    """A network that notes what it is asked, and answers with the share of white pixels."""

    def __init__(self):
        self.asked = []

    def predict(self, pixels):
        self.asked.append(pixels)
        share = (pixels == 255).mean(axis=(1, 2, 3))
        return np.stack([share, 1 - share], axis=1).astype("float32")


def test_a_true_map_beats_its_opposite_and_chance():
    model = of_quadrants(quadrant(0, 1))
    subject, pixels, target = InspectedModel(model), noise(2), np.array([0, 0])
    kernel, bias = model.get_layer("logits").get_weights()
    # From a logit of -4 for an image without edges to one of 4.
    model.get_layer("logits").set_weights([kernel * 8 / subject.logits(pixels)[0, 0], bias - [4, 0]])
    subject = InspectedModel(model)
    good, bad, chance = (
        measure(subject, pixels, np.stack([found] * 2), target)
        for found in (quadrant(0, 1), 1 - quadrant(0, 1), random_map(64, 64, 0))
    )
    for one, other, by_chance in zip(good, bad, chance, strict=True):
        assert one.deletion < by_chance.deletion - 0.05 < other.deletion - 0.1
        assert one.insertion > by_chance.insertion + 0.05 > other.insertion + 0.1


def test_the_frames_are_the_image_as_it_goes_and_as_it_comes():
    image = np.zeros((1, 8, 8, 3), "uint8")
    image[0, :4] = 255
    found = np.repeat(np.arange(8.0)[None, ::-1, None], 8, axis=2)
    subject = Recorder()
    (score,) = measure(subject, image, found, np.array([0]), steps=8)
    (frames,) = subject.asked
    assert frames.dtype == np.uint8
    going, coming = frames[:9], frames[9:]
    assert np.array_equal(going[0], image[0])
    assert (going[-1] == 128).all()
    assert np.array_equal(coming[-1], image[0])
    assert np.abs(coming[0].astype(float).mean() - image.mean()) < 10
    for number in range(9):
        assert (going[number, :number] == 128).all()
        assert np.array_equal(going[number, number:], image[0, number:])
        assert np.array_equal(coming[number, :number], image[0, :number])
    # White goes row by row: 1/2, 3/8, 2/8, 1/8, 0 …; what comes in is there already, but for a grey edge.
    assert score.deletion == pytest.approx((0.25 + 3 / 8 + 2 / 8 + 1 / 8) / 8)
    white = [(frame == 255).mean() for frame in coming]
    assert white[0] == white[3] < white[4] == white[8] == 0.5
    assert score.insertion == pytest.approx((white[0] / 2 + sum(white[1:8]) + white[8] / 2) / 8)


def test_equal_places_go_by_chance_and_the_same_way_each_time():
    subject = Recorder()
    image = np.full((1, 16, 16, 1), 255, "uint8")
    image[0, 0, 0] = 0
    flat = np.zeros((1, 16, 16))
    first, second = (measure(subject, image, flat, np.array([0]), steps=4) for _ in range(2))
    assert first == second
    half = subject.asked[0][2, ..., 0] != 255
    for part in (half[:8], half[8:], half[:, :8], half[:, 8:]):
        assert 0.35 < part.mean() < 0.65


def test_a_constant_has_its_own_value_as_area():
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Dense(2, activation="softmax", kernel_initializer="zeros")(keras.layers.Flatten()(pixels))
    subject = InspectedModel(keras.Model(pixels, x))
    assert measure(subject, noise(1, 8), np.ones((1, 8, 8)), np.array([1])) == [Faithfulness(0.5, 0.5)]


def test_a_image_of_fractions_keeps_them():
    subject = Recorder()
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    measure(subject, image, np.ones((1, 8, 8)), np.array([0]), steps=2)
    assert subject.asked[0].dtype == np.float32
    np.testing.assert_allclose(subject.asked[0][2], image[0].mean(axis=(0, 1)) * np.ones((8, 8, 3)), atol=1e-6)


def test_blurring_keeps_what_is_flat_and_the_mean():
    flat = np.full((20, 30, 3), 7.0, "float32")
    np.testing.assert_allclose(blurred(flat), flat, rtol=1e-5)
    image = noise(1)[0]
    soft = blurred(image)
    assert soft.std() < 0.2 * image.std()
    assert abs(soft.mean() - image.mean()) < 3


def test_the_maps_to_compare_with():
    assert np.array_equal(random_map(40, 60, 3), random_map(40, 60, 3))
    assert not np.array_equal(random_map(40, 60, 3), random_map(40, 60, 4))
    smooth, rough = random_map(64, 64, 0), random_map(64, 64, 0, places=None)
    assert smooth.shape == rough.shape == (64, 64)
    assert np.abs(np.diff(smooth)).mean() < 0.3 * np.abs(np.diff(rough)).mean()
    middle = centred_gaussian(30, 50)
    assert middle.shape == (30, 50)
    np.testing.assert_allclose(middle, middle[::-1, ::-1], rtol=1e-6)
    assert middle[15, 25] > 0.95 > 0.3 > middle[0, 25] > middle[0, 0]


def test_what_makes_no_sense():
    subject = Recorder()
    with pytest.raises(UsageError, match="at least 1 step"):
        measure(subject, noise(1), np.ones((1, 64, 64)), np.array([0]), steps=0)
    with pytest.raises(UsageError, match="the size of its image"):
        measure(subject, noise(1), np.ones((1, 32, 32)), np.array([0]))


def test_squares_go_as_wholes_the_highest_mean_first():
    """A single high pixel does not outweigh a square that is high throughout."""
    subject = Recorder()
    found = np.zeros((1, 80, 40))
    found[0, 30:35, 10:15] = 1
    found[0, 79, 39] = 5
    image = np.full((1, 80, 40, 3), 200, "uint8")
    image[0, 0] = 0
    measure(subject, image, found, np.array([0]), steps=128)
    going = subject.asked[0][:129, ..., 0] == 198
    assert going[1, 30:35, 10:15].all()
    assert going[2, 75:80, 35:40].all()
    assert (np.diff(going.sum(axis=(1, 2))) == 25).all()
