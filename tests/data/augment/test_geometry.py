from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.data.chance import Fixed, images, run
from zoo.data.augment import geometry
from zoo.data.augment.config import Augment


def test_flips_are_exact_and_befall_half():
    batch = np.random.default_rng(0).integers(0, 256, (400, 4, 6, 3), np.uint8)
    labels = np.ones((400, 1), np.float32)
    for flip, ways in (("horizontal", [(1, -1)]), ("vertical", [(-1, 1)]), ("both", [(1, -1), (-1, 1), (-1, -1)])):
        x, _ = run({"flip": flip}, batch, labels)
        kinds = [(1, 1), *ways]
        counts = [sum(np.array_equal(a, b[::v, ::h]) for a, b in zip(x, batch, strict=True)) for v, h in kinds]
        assert sum(counts) >= 400
        assert all(abs(count - 400 / len(kinds)) < 60 for count in counts)


def test_a_flip_keeps_the_mean_colour():
    batch, labels = images(8)
    x, _ = run({"flip": "both"}, batch, labels)
    assert np.array_equal(x.mean((1, 2)), batch.mean((1, 2)))


@pytest.mark.parametrize("grey", [False, True])
def test_a_shift_by_three_is_exact(grey):
    batch, _ = images(4, 10, 12, grey=grey)
    shifts = np.array([[3, 0], [0, 3], [-3, 2], [0, 0]])
    x = geometry._shifted(batch, shifts, (None, None), Augment(shift=3, fill_value=77))
    assert np.array_equal(x[0, :, 3:], batch[0, :, :-3])
    assert (x[0, :, :3] == 77).all()
    assert np.array_equal(x[1, 3:], batch[1, :-3])
    assert (x[1, :3] == 77).all()
    assert np.array_equal(x[2, 2:, :-3], batch[2, :-2, 3:])
    assert np.array_equal(x[3], batch[3])
    # The same as a map.
    identity = np.tile(np.eye(2, 3), (4, 1, 1))
    identity[:, :, 2] = -shifts
    resampled = geometry._resampled(batch, identity, (None, None), Augment(rotate=1, fill_value=77), (10, 12))
    assert np.array_equal(resampled, x)


def test_shifts_are_even_between_their_bounds():
    shifts = geometry._shifts(2, 5000, (32, 32), np.random.default_rng(0))
    assert all(np.bincount(shifts[:, axis] + 2).min() > 850 for axis in (0, 1))
    assert shifts.min() == -2
    assert shifts.max() == 2
    fractions = geometry._shifts(0.25, 5000, (8, 40), np.random.default_rng(0))
    assert np.abs(fractions).max(0).tolist() == [10, 2]


@pytest.mark.parametrize(
    ("fill", "left"),
    [("constant", [7, 7, 7]), ("edge", [1, 1, 1]), ("reflect", [4, 3, 2])],
)
def test_what_comes_in_at_the_edge(fill, left):
    batch = np.tile(np.arange(1, 9, dtype=np.uint8), (1, 8, 1))
    augment = Augment(shift=3, fill=fill, fill_value=7)
    x = geometry._shifted(batch, np.array([[3, 0]]), (None, None), augment)
    assert x[0, 0].tolist() == [*left, 1, 2, 3, 4, 5]
    maps = np.array([[[1.0, 0, -3], [0, 1, 0]]])
    x = geometry._resampled(batch, maps, (None, None), augment, (8, 8))
    assert x[0, 0].tolist() == [*left, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2)])
def test_a_quarter_turn_is_exact(degrees, turns, grey):
    batch, _ = images(2, 16, 16, grey=grey)
    x = geometry.apply(batch, Augment(rotate=degrees), Fixed(), (16, 16))
    assert np.array_equal(x, np.rot90(batch, turns, axes=(1, 2)))


def test_a_zoom_by_two_shows_the_middle():
    batch, _ = images(1, 16, 16)
    x = geometry.apply(batch, Augment(zoom=(1, 2)), Fixed(), (16, 16))
    middle = Image.fromarray(batch[0, 4:12, 4:12]).resize((16, 16), Image.Resampling.BILINEAR)
    # At its edges the one sees the pixels beyond.
    assert np.abs(x[0, 2:-2, 2:-2].astype(int) - np.asarray(middle)[2:-2, 2:-2]).max() <= 1
    smaller = geometry.apply(batch, Augment(zoom=(0.5, 0.5)), Fixed(), (16, 16))
    assert not smaller[0, :4].any()
    assert not smaller[0, :, 12:].any()
    assert smaller[0, 5:11, 5:11].all(-1).any()


def test_a_shear_moves_rows_along():
    batch = np.zeros((1, 33, 33), np.uint8)
    batch[0, :, 16] = 255
    x = geometry.apply(batch, Augment(shear=45), Fixed(), (33, 33))
    # The middle stays, the upper end goes one way as far as the lower goes the other.
    rows = x[0].argmax(1)
    assert rows[16] == 16
    assert abs((rows[24] - 16) - 8) <= 1
    assert abs((rows[8] - 16) + 8) <= 1


def test_a_change_of_aspect_keeps_the_area():
    augment, rng = Augment(aspect=(4, 4)), np.random.default_rng(0)
    windows = geometry._windows(augment, 1, (32, 32), (32, 32), rng)
    maps = geometry._maps(augment, windows, (32, 32), np.zeros((1, 2)), np.ones(1, bool), rng)
    assert np.allclose(maps[0, :, :2], [[0.5, 0], [0, 2]])


def test_crops_have_the_area_and_aspect_that_were_asked_for():
    augment = Augment(crop=(0.2, 0.6), aspect=(0.75, 4 / 3))
    windows = geometry._windows(augment, 2000, (100, 160), (64, 64), np.random.default_rng(0))
    left, upper, wide, high = windows.T
    assert left.min() >= 0
    assert upper.min() >= 0
    assert (left + wide).max() <= 160 + 1e-9
    assert (upper + high).max() <= 100 + 1e-9
    area, aspect = wide * high / 16000, wide / high
    assert 0.2 <= area.min() < 0.22
    assert 0.58 < area.max() <= 0.6 + 1e-9
    assert 0.75 - 1e-9 <= aspect.min() < 0.77
    assert 1.3 < aspect.max() <= 4 / 3 + 1e-9
    # The target's own shape is what the aspect is a factor of.
    wide, high = geometry._windows(Augment(crop=(0.3, 0.3)), 10, (80, 80), (20, 40), np.random.default_rng(0)).T[2:]
    assert np.allclose(wide / high, 2)


def test_crops_that_cannot_be_had_are_central():
    windows = geometry._windows(Augment(crop=(1, 1)), 3, (40, 80), (20, 20), np.random.default_rng(0))
    assert np.allclose(windows, [20, 0, 40, 40])


def test_a_crop_is_what_resizing_its_window_gives():
    batch, labels = images(5, 40, 40)
    x, _ = run({"crop": [0.3, 0.9]}, batch, labels, size=(24, 20))
    windows = geometry._windows(Augment(crop=(0.3, 0.9)), 5, (40, 40), (24, 20), _after_flips(5))
    for image, result, (left, upper, wide, high) in zip(batch, x, windows, strict=True):
        box = (left, upper, left + wide, upper + high)
        expected = np.asarray(Image.fromarray(image).resize((20, 24), Image.Resampling.BILINEAR, box=box))
        assert np.abs(result.astype(int) - expected).max() <= 1


def _after_flips(count):
    """Chance as it stands when the windows are drawn."""
    rng = np.random.default_rng(0)
    rng.random(count)
    return rng


def test_all_geometry_together_is_resampled_once():
    """Blurring twice would flatten fine noise; once with everything flattens it as much as a small turn alone."""
    batch = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), np.uint8)
    labels = np.eye(16, dtype=np.float32)
    middle = np.s_[:, 20:44, 20:44]
    once = run({"rotate": 10}, batch, labels)[0][middle].std()
    every = run({"rotate": 10, "shear": 5, "zoom": [1, 1.01], "shift": 3, "flip": "both"}, batch, labels)[0][middle]
    assert every.std() > 0.93 * once
