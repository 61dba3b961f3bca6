from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.duplicates import near_duplicates as duplicates
from zoo.data.duplicates import phash
from zoo.data.duplicates.near_duplicates import Fingerprints, find_limits, is_mirrored, near_groups


def smooth(count, seed=0, waves=12):
    """Images that are unlike each other, as photographs are: uint8 (count, 32, 32, 3)."""
    rng = np.random.default_rng(seed)
    rows = np.cos(np.pi * np.arange(waves)[:, None] * (2 * np.arange(32) + 1) / 64)
    weights = rng.normal(0, 1, (count, 3, waves, waves)) / (1 + np.add.outer(np.arange(waves), np.arange(waves)))
    images = np.einsum("ncuv,uy,vx->nyxc", weights, rows, rows)
    images -= images.min(axis=(1, 2, 3), keepdims=True)
    return (255 * images / images.max(axis=(1, 2, 3), keepdims=True)).astype(np.uint8)


def noisy(images, seed, strength=4):
    noise = np.random.default_rng(seed).normal(0, strength, images.shape)
    return np.clip(0.9 * images + 8 + noise, 0, 255).astype(np.uint8)


def prints(images):
    return Fingerprints(*phash.hashes(images), phash.thumbnails(images))


def found(images, **options):
    return [group.tolist() for group in near_groups(prints(images), **options)]


def test_copies_to_the_eye_are_found_and_nothing_else():
    images = smooth(200)
    both = np.concatenate([images, noisy(images[[5, 60, 199]], 1), noisy(images[[60]], 2)])
    assert found(both) == [[5, 200], [60, 201, 203], [199, 202]]
    assert found(images) == []


def test_mirror_images_are_copies_too():
    images = smooth(50)
    both = np.concatenate([images, noisy(images[[7]], 1)[:, :, ::-1], noisy(images[[9]], 1)])
    assert found(both) == [[7, 50], [9, 51]]
    thumbs = phash.thumbnails(both)
    assert is_mirrored(thumbs, 7, 50)
    assert not is_mirrored(thumbs, 9, 51)


def test_grey_images_are_compared_too():
    grey = smooth(40)[..., 0]
    assert found(np.concatenate([grey, noisy(grey[[3]], 1)])) == [[3, 40]]


def test_another_print_in_one_place_makes_another_image():
    image = smooth(1)
    printed = image.copy()
    printed[0, 14:17, 14:17] = 255 - printed[0, 14:17, 14:17]
    left, most = phash.difference(phash.thumbnails(image), phash.thumbnails(printed))
    assert left[0] < duplicates.TOLERANCE < most[0] / duplicates.LOCALLY
    assert found(np.concatenate([image, printed])) == []


def test_images_of_one_colour_are_no_copies_of_each_other():
    flat = np.full((30, 32, 32, 3), 200, np.uint8) + np.random.default_rng(0).integers(0, 3, (30, 32, 32, 3), np.uint8)
    assert found(flat) == []


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_images(count):
    assert found(smooth(max(count, 1))[:count]) == []


def test_the_same_groups_with_any_blocks_and_threads(monkeypatch):
    images = smooth(300)
    both = np.concatenate([images, noisy(images[::7], 1), noisy(images[::20], 2)])
    expected = found(both, threads=1)
    assert len(expected) >= 43
    for name, value in (("_ROWS", 17), ("_COLUMNS", 34), ("_PAIRS", 5)):
        monkeypatch.setattr(duplicates, name, value)
    assert found(both, threads=3) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 11), min_size=2, max_size=40))
def test_groups_are_those_of_the_images_that_were_copied(originals):
    base = smooth(12)
    images = np.concatenate([noisy(base[[original]], seed, strength=2) for seed, original in enumerate(originals)])
    expected = sorted(
        [at for at, original in enumerate(originals) if original == one]
        for one in set(originals)
        if originals.count(one) > 1
    )
    assert sorted(found(images)) == expected


def test_photographs_have_the_full_tolerance():
    assert find_limits(prints(smooth(500))) == (duplicates.RADIUS, duplicates.TOLERANCE)


def test_where_all_images_are_alike_copies_must_be_more_so():
    """Small changes of one image, like thousands of digits on black, are near each other by chance."""
    rng = np.random.default_rng(0)
    base = smooth(1, seed=1).astype(float)
    moods = smooth(1500, seed=2, waves=4).astype(float) - 128
    images = np.clip(0.7 * base + 0.2 * moods * rng.uniform(0.5, 1, (1500, 1, 1, 1)) + 40, 0, 255).astype(np.uint8)
    _, tolerance = find_limits(prints(images))
    assert tolerance < 0.7 * duplicates.TOLERANCE
    again = np.concatenate([images, noisy(images[[100]], 1, strength=0.5)])
    groups = found(again)
    assert any({100, 1500} <= set(group) for group in groups)
    assert sum(map(len, groups)) < 40


def test_thousands_of_copies_of_one_image_are_one_group():
    one = smooth(1)
    copies = np.concatenate([noisy(one, seed, strength=1) for seed in range(1500)])
    assert found(copies) == [list(range(1500))]


@pytest.mark.slow
def test_thirty_thousand_images():
    images = np.concatenate([smooth(10_000, seed) for seed in range(3)])
    images[29_999] = noisy(images[[17]], 1)[0]
    assert [17, 29_999] in found(images)
