"""A sample is drawn by chance, the same every time, in bounded memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.drawn import encoded
from zoo.core.spec import Resize
from zoo.images.source import Source
from zoo.inference import calibration_set
from zoo.inference.calibration_set import sample

RESIZE = Resize(2, 2, "squash")


def flat(number):
    """An image whose pixels say which one it is."""
    return Source.from_array(np.full((2, 2, 3), number, "uint8"))


def numbers(images):
    return images[:, 0, 0, 0].tolist()


def test_a_sample_has_different_images_in_their_order():
    drawn = numbers(sample(map(flat, range(200)), RESIZE, 20))
    assert len(drawn) == 20 == len(set(drawn))
    assert drawn == sorted(drawn)
    assert drawn == numbers(sample(map(flat, range(200)), RESIZE, 20))
    assert drawn != numbers(sample(map(flat, range(200)), RESIZE, 20, seed=1))


def test_few_images_are_all_drawn():
    assert numbers(sample(map(flat, range(7)), RESIZE, 20)) == list(range(7))
    assert sample([], RESIZE, 20).shape == (0, 2, 2, 3)


def test_every_image_has_the_same_chance():
    draws = (numbers(sample(map(flat, range(10)), RESIZE, 3, seed=seed)) for seed in range(500))
    counts = Counter(number for draw in draws for number in draw)
    # 150 each, with a standard deviation of 10.
    assert all(100 < counts[number] < 200 for number in range(10))


def test_what_cannot_be_read_is_left_out(tmp_path):
    whole = encoded(np.full((4, 4, 3), 9, "uint8"), "PNG")
    (tmp_path / "whole.png").write_bytes(whole)
    (tmp_path / "cut.png").write_bytes(whole[:40])
    names = ("whole.png", "cut.png", "missing.png")
    found = sample([*(Source(str(tmp_path / name)) for name in names), Source("x", problem="no")], RESIZE, 9)
    assert found.dtype == np.uint8
    assert numbers(found) == [9]


def test_only_what_is_drawn_is_opened_and_pixels_are_bounded(monkeypatch):
    opened = []
    monkeypatch.setattr(
        calibration_set, "load", lambda source, _: opened.append(source) or np.zeros((2, 2, 3), "uint8")
    )
    assert len(sample(map(flat, range(200)), RESIZE, 20)) == 20 == len(opened)
    monkeypatch.setattr(calibration_set, "MEMORY", 5 * 2 * 2 * 3)
    assert len(sample(map(flat, range(200)), RESIZE, 20)) == 5


@pytest.mark.parametrize("count", [0, 1])
def test_small_counts(count):
    assert len(sample(map(flat, range(9)), RESIZE, count)) == count
