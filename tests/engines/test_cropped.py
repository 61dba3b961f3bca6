"""The engine of five parts: which parts they are, and that their answers stay with their images."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.core.spec import Resize
from zoo.engines.cropped import Cropped, larger


class Mean:
    """Answers with the mean of the image."""

    name, device, single, batch_size = "mean", "cpu", False, 3

    def run(self, batches):
        for batch in batches:
            assert batch.shape[1:] == (4, 6, 3) and batch.flags.c_contiguous
            yield batch.mean(axis=(1, 2, 3), dtype=np.float32)[:, None]


def test_the_parts_are_the_corners_and_the_middle():
    engine = Cropped(Mean(), Resize(4, 6))
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
    engine = Cropped(Mean(), Resize(4, 6))
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
    found = larger(resize)
    assert (found.height, found.width) == size
    assert found.fraction == 1.0 and found.policy == resize.policy
