"""Test-time augmentation: which views there are, and that their mean stays with their images."""

from __future__ import annotations

import numpy as np
import pytest

import zoo
from tests.inference.test_pipeline import Adder
from zoo.core.spec import Resize
from zoo.engines.tta import Augmented, augment, flipped, with_margin


class Corner(Adder):
    """Gives the upper left pixel, which a mirror image has from the right."""


def test_the_mean_over_an_image_and_its_mirror_image():
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8) for count in (3, 3, 2)]
    for depth in (0, 1, 3):
        outputs = list(Augmented(Corner(3, depth), flipped, 2).run(batches))
        for batch, output in zip(batches, outputs, strict=True):
            expected = (batch[:, 0, 0, :1].astype(float) + batch[:, 0, -1, :1]) / 2
            assert np.array_equal(output, expected)


def test_an_answer_does_not_depend_on_the_side_it_is_seen_from():
    classifier = zoo.Classifier("cifar10-resnet9")
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    one, two = classifier.predict([pixels, np.ascontiguousarray(pixels[:, ::-1])], top=10)
    assert [p.index for p in one.predictions] == [p.index for p in two.predictions]
    for first, second in zip(one.predictions, two.predictions, strict=True):
        assert abs(first.score - second.score) < 1e-5


class Mean:
    """Answers with the mean of the image."""

    name, device, single, batch_size = "mean", "cpu", False, 3

    def run(self, batches):
        for batch in batches:
            assert batch.shape[1:] == (4, 6, 3) and batch.flags.c_contiguous
            yield batch.mean(axis=(1, 2, 3), dtype=np.float32)[:, None]


def test_the_parts_are_the_corners_and_the_middle():
    engine, _ = augment(Mean(), Resize(4, 6), "ten-crop", mirrored=True)
    image = np.zeros((1, 6, 8, 3), np.uint8)
    image[0, 0, 0] = 240
    (corner,) = engine.run([image])
    # Just one of five parts has this pixel of 24.
    assert corner[0, 0] == pytest.approx(240 / 24 / 5)
    image = np.zeros((1, 6, 8, 3), np.uint8)
    image[0, 3, 4] = 240
    (middle,) = engine.run([image])
    assert middle[0, 0] == pytest.approx(240 / 24)


def test_answers_stay_with_their_images_over_batches():
    engine, _ = augment(Mean(), Resize(4, 6), "ten-crop", mirrored=True)
    batches = [
        np.full((n, 6, 8, 3), 10 * n, np.uint8) * np.arange(1, n + 1, dtype=np.uint8)[:, None, None, None]
        for n in (3, 1, 2)
    ]
    answers = list(engine.run(batches))
    assert [len(answer) for answer in answers] == [3, 1, 2]
    for batch, answer in zip(batches, answers, strict=True):
        assert answer[:, 0] == pytest.approx(batch[:, 0, 0, 0])
    assert (engine.name, engine.batch_size, engine.single) == ("mean", 3, False)


@pytest.mark.parametrize(
    ("resize", "size"),
    [
        (Resize(224, 224), (256, 256)),
        (Resize(28, 28, policy="squash"), (32, 32)),
        (Resize(224, 224, fraction=1.0), (256, 256)),
        (Resize(100, 200, fraction=0.5), (200, 400)),
    ],
)
def test_images_are_read_with_what_a_crop_cuts_away(resize, size):
    found = with_margin(resize)
    assert (found.height, found.width) == size
    assert found.fraction == 1.0 and found.policy == resize.policy


def test_ten_crops_are_five_and_their_mirror_images():
    engine, resize = augment(Mean(), Resize(4, 6), "ten-crop", mirrored=False)
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(1, 6, 8, 3)
    (answer,) = engine.run([image])
    (one,) = augment(Mean(), Resize(4, 6), "ten-crop", mirrored=True)[0].run([image])
    assert answer == pytest.approx(one)
    assert (resize.height, resize.width) == (5, 7)
    assert augment(engine, resize, "mirror", mirrored=True) == (engine, resize)
