from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from tests.drawn import drawing
from zoo.data.augment import kinds, randaugment


def test_the_operations_are_the_published_ones():
    assert len(randaugment.OPERATIONS) == kinds.MOST_OPERATIONS == 14


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("name", randaugment.OPERATIONS)
def test_every_operation_changes_an_image_by_its_strength(name, mode):
    image = Image.fromarray(drawing(32, 32) // 2 + 40).convert(mode)
    for strength, sign in itertools.product((0.3, 1.0), (-1, 1)):
        result = randaugment.OPERATIONS[name](image, strength, sign, 0)
        assert result.size == image.size
        assert result.mode == mode
        idle = name == "identity" or (name == "color" and mode == "L") or (name == "solarize" and strength < 0.5)
        assert np.array_equal(np.asarray(result), np.asarray(image)) == idle
    if name not in ("autocontrast", "equalize"):
        weakest = randaugment.OPERATIONS[name](image, 0.0, 1, 0)
        assert np.array_equal(np.asarray(weakest), np.asarray(image))
