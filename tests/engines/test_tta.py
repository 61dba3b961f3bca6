"""Both views of each image, in order, whatever the engine within keeps waiting."""

from __future__ import annotations

import numpy as np

import zoo
from tests.inference.test_pipeline import Adder
from zoo.engines.mirrored import Mirrored


class Corner(Adder):
    """Gives the upper left pixel, which a mirror image has from the right."""


def test_the_mean_over_a_image_and_its_mirror_image():
    rng = np.random.default_rng(0)
    batches = [rng.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8) for count in (3, 3, 2)]
    for depth in (0, 1, 3):
        outputs = list(Mirrored(Corner(3, depth)).run(batches))
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
