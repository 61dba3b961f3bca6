from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from tests.drawn import detailed
from zoo.core.spec import Resize
from zoo.data.duplicates import phash
from zoo.images.decode import load

LOOK = Resize(phash.SIDE, phash.SIDE, "squash", 1.0)


def looked_at(images):
    return np.stack([load(image, LOOK) for image in images])


def scenes(count=20, height=180, width=240):
    return [Image.fromarray(detailed(height, width, seed)) for seed in range(count)]


def recompressed(img, quality):
    stream = io.BytesIO()
    img.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue()))


CHANGES = {
    "quality 50": lambda img: recompressed(img, 50),
    "half the size": lambda img: img.resize((img.width // 2, img.height // 2), Image.Resampling.LANCZOS),
    "twice the size": lambda img: img.resize((img.width * 2, img.height * 2)),
    "darker": lambda img: ImageEnhance.Brightness(img).enhance(0.85),
    "less contrast": lambda img: ImageEnhance.Contrast(img).enhance(0.8),
    "a tint": lambda img: Image.fromarray((np.asarray(img) * [1, 0.96, 0.92]).astype(np.uint8)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_keeps_its_hash_and_its_thumbnail(change):
    originals = scenes()
    before, after = looked_at(originals), looked_at([CHANGES[change](img) for img in originals])
    distances = phash.distance(phash.hashes(before)[0], phash.hashes(after)[0])
    assert distances.max() <= 8
    left, most = phash.difference(phash.thumbnails(before), phash.thumbnails(after))
    assert left.max() < 0.15
    assert most.max() < 0.75


def test_other_images_have_other_hashes_and_thumbnails():
    pixels = looked_at(scenes(30))
    plain, _ = phash.hashes(pixels)
    one, other = np.triu_indices(30, 1)
    assert phash.distance(plain[one], plain[other]).min() > 8
    thumbs = phash.thumbnails(pixels)
    assert phash.difference(thumbs[one], thumbs[other])[0].min() > 0.5


def test_the_hash_of_the_mirror_image_is_free_and_right():
    pixels = looked_at(scenes(10))
    plain, mirrored = phash.hashes(pixels)
    again, back = phash.hashes(np.ascontiguousarray(pixels[:, :, ::-1]))
    assert np.abs(phash.distance(mirrored, again).astype(int)).max() == 0
    assert (back == plain).all()
    assert (plain != mirrored).all()


def test_the_hash_is_the_signs_of_the_lowest_frequencies_about_their_median():
    grey = np.random.default_rng(3).integers(0, 256, (1, 32, 32), np.uint8)
    row, place = np.arange(8), np.arange(32)
    # The transform as its definition has it, without the factors that make it orthonormal but for the first row's.
    waves = np.cos(np.pi * row[:, None] * (2 * place + 1) / 64)
    waves[0] /= np.sqrt(2)
    spectrum = np.einsum("uy,vx,yx->uv", waves, waves, grey[0].astype(float)).ravel()[1:]
    bits = "".join("1" if value > np.median(spectrum) else "0" for value in spectrum)
    assert int(phash.hashes(grey)[0][0]) == int(bits, 2)
    assert bits.count("1") == 31


def test_a_grey_image_has_the_hash_of_the_same_in_three_channels():
    grey = np.random.default_rng(4).integers(0, 256, (50, 32, 32), np.uint8)
    three = np.repeat(grey[..., None], 3, axis=-1)
    assert phash.distance(phash.hashes(grey)[0], phash.hashes(three)[0]).max() <= 2


def test_a_thumbnail_is_the_mean_of_four():
    pixels = np.random.default_rng(5).integers(0, 256, (3, 32, 32, 3), np.uint8)
    expected = pixels.reshape(3, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    assert np.abs(phash.thumbnails(pixels) - expected).max() <= 0.5


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)), min_size=1, max_size=20))
def test_the_distance_counts_bits_with_and_without_a_function_for_it(pairs):
    one, other = np.array(pairs, np.uint64).T
    expected = [(int(a) ^ int(b)).bit_count() for a, b in pairs]
    assert phash.distance(one, other).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(np, "bitwise_count", raising=False)
        assert phash.distance(one, other).tolist() == expected


def test_the_difference_does_not_see_brightness_contrast_and_tint_but_a_print():
    thumb = phash.thumbnails(looked_at(scenes(1))).astype(float)
    changed = np.clip(0.6 * thumb + [20, 30, 40], 0, 255).astype(np.uint8)
    left, most = phash.difference(thumb.astype(np.uint8), changed)
    assert left[0] < 0.02
    printed = thumb.copy()
    printed[0, 6:9, 6:9] = 255 - printed[0, 6:9, 6:9]
    again, spot = phash.difference(thumb.astype(np.uint8), printed.astype(np.uint8))
    assert again[0] > 5 * left[0]
    assert spot[0] > 5 * most[0]


def test_the_negative_of_a_image_is_no_copy():
    thumb = phash.thumbnails(looked_at(scenes(1)))
    assert phash.difference(thumb, 255 - thumb)[0][0] == pytest.approx(1)


def test_a_image_of_one_colour_has_no_contrast_whatever_the_colour():
    flat = np.full((1, 16, 16, 3), [250, 10, 90], np.uint8)
    assert phash.contrast(flat)[0] == pytest.approx(0, abs=1e-3)
    assert phash.difference(flat, flat)[0][0] == pytest.approx(0, abs=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5), st.booleans())
def test_no_pair_is_ruled_out_by_its_sketches_that_is_alike(seed, strength, grey):
    rng = np.random.default_rng(seed)
    shape = (50, 16, 16) if grey else (50, 16, 16, 3)
    one = rng.integers(0, 256, shape).astype(np.uint8)
    other = np.clip(one * 0.8 + 20 + strength * rng.normal(0, 100, shape), 0, 255).astype(np.uint8)
    left, _ = phash.difference(one, other)
    for limit in (0.05, 0.15, 0.4):
        possible = phash.may_differ_less(phash.sketches(one), phash.sketches(other), limit)
        assert possible[left <= limit].all()


def test_sketches_rule_out_images_that_are_unlike_each_other():
    drawn = phash.sketches(phash.thumbnails(looked_at(scenes(30))))
    one, other = np.triu_indices(30, 1)
    assert not phash.may_differ_less(drawn[one], drawn[other], 0.15).any()
