"""The image path: golden pixels for every policy, mode and orientation, and no error but ImageError."""

from __future__ import annotations

import io
import itertools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from tests import drawn
from tests.conftest import ROOT
from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.images import decode as images
from zoo.images.colours import to_grey
from zoo.images.limits import MAX_PIXELS_IN_PYTHON
from zoo.images.source import Source

ORIENTATIONS = range(1, 9)
FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# --- Resizing -------------------------------------------------------------------------------------------------------

#: 6 × 12 greys: the square of the column plus seven times the row.
SLOPE = (np.arange(12)[None, :] ** 2 + 7 * np.arange(6)[:, None]).astype(np.uint8)

#: What is made of it, as grey levels, row by row. From the filters' definitions follow the same numbers, give or take
#: the 1 that Pillow loses by rounding between its two passes.
GOLDEN = {
    ("crop", 1.0, "bilinear"): [[18, 36, 62], [31, 49, 75], [43, 61, 87]],
    ("crop", 0.5, "bilinear"): [[32, 42, 54], [39, 49, 61], [46, 56, 68]],
    ("crop", 1.0, "nearest"): [[23, 43, 71], [37, 57, 85], [51, 71, 99]],
    ("crop", 1.0, "bicubic"): [[16, 34, 60], [30, 48, 74], [43, 61, 87]],
    ("crop", 1.0, "lanczos"): [[15, 33, 57], [30, 48, 72], [44, 62, 86]],
    ("pad", 0.875, "bilinear"): [[14, 42, 94], [31, 59, 111], [0, 0, 0]],
    ("squash", 0.875, "bilinear"): [[10, 38, 90], [23, 51, 103], [35, 63, 115]],
}


def triangle(length: int, start: float, stop: float, out: int) -> np.ndarray:
    """Antialiased bilinear weights (out, length) from the definition, for a window of a line of pixels."""
    scale = (stop - start) / out
    support = max(scale, 1.0)
    centres = start + (np.arange(out)[:, None] + 0.5) * scale
    weights = np.clip(1 - np.abs(np.arange(length)[None] + 0.5 - centres) / support, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("policy", "fraction", "interpolation"), GOLDEN)
def test_golden_pixels_of_each_policy(policy, fraction, interpolation):
    resize = Resize(3, 3, policy, fraction, interpolation)
    found = images.load(SLOPE, resize)
    assert found[..., 0].tolist() == GOLDEN[policy, fraction, interpolation]
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize(("height", "width", "fraction"), [(50, 81, 0.875), (81, 50, 1.0), (33, 33, 0.5)])
def test_crop_is_the_central_window_antialiased(height, width, fraction):
    pixels = drawn.detailed(height, width)
    side = min(height, width) * fraction
    top, left = (height - side) / 2, (width - side) / 2
    rows, columns = triangle(height, top, top + side, 16), triangle(width, left, left + side, 16)
    expected = np.einsum("yh,xw,hwc->yxc", rows, columns, pixels)
    assert np.abs(images.load(pixels, Resize(16, 16, "crop", fraction)) - expected).max() <= 1.5


def test_crop_of_a_target_that_is_no_square():
    pixels = drawn.drawing(100, 100)
    found = images.load(pixels, Resize(20, 40, "crop", 1.0))
    expected = images.load(pixels[25:75], Resize(20, 40, "squash"))
    # A filter that reaches over the edge of the window sees the image beyond.
    assert np.abs(found[2:-2].astype(int) - expected[2:-2]).max() <= 1


def test_the_same_size_is_the_same_image():
    pixels = drawn.detailed(40, 40)
    for resize in (Resize(40, 40, "crop", 1.0), Resize(40, 40, "pad"), Resize(40, 40, "squash")):
        np.testing.assert_array_equal(images.load(pixels, resize), pixels)


def test_padding_is_black_and_the_image_in_its_centre():
    found = images.load(np.full((50, 100, 3), 200, np.uint8), Resize(40, 40, "pad"))
    assert not found[:10].any() and not found[30:].any()
    assert (found[10:30] == 200).all()


@FAST
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    out=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    policy=st.sampled_from(["crop", "pad", "squash"]),
    fraction=st.floats(0.05, 1.0),
    interpolation=st.sampled_from(["nearest", "bilinear", "bicubic", "lanczos"]),
)
def test_any_size_and_policy_gives_the_target_and_keeps_a_plain_colour(
    height, width, out, policy, fraction, interpolation
):
    colour = np.array([250, 120, 3], np.uint8)
    found = images.load(np.tile(colour, (height, width, 1)), Resize(*out, policy, fraction, interpolation))
    assert found.shape == (*out, 3) and found.dtype == np.uint8 and found.flags.c_contiguous and found.flags.writeable
    content = found[found.any(axis=-1)]
    assert len(content) and (content == colour).all()
    assert policy == "pad" or len(content) == out[0] * out[1]


def test_extreme_shapes():
    for shape in ((1, 60_000), (60_000, 1), (1, 1)):
        for policy in ("crop", "pad", "squash"):
            assert images.load(np.full(shape, 77, np.uint8), Resize(8, 8, policy)).max() == 77


# --- Colours --------------------------------------------------------------------------------------------------------


def one(pixel, mode: str, format: str, **options) -> tuple[int, ...]:
    """What a file of one colour is decoded to."""
    image = Image.new(mode, (4, 4), pixel)
    return images.decode(drawn.encoded(image, format, **options)).getpixel((1, 2))


@pytest.mark.parametrize(
    ("pixel", "mode", "format", "expected"),
    [
        ((10, 200, 30), "RGB", "PNG", (10, 200, 30)),
        (90, "L", "PNG", (90, 90, 90)),
        (1, "1", "PNG", (255, 255, 255)),
        (0, "1", "TIFF", (0, 0, 0)),
        ((10, 200, 30, 255), "RGBA", "PNG", (10, 200, 30)),
        ((10, 200, 30, 0), "RGBA", "PNG", (255, 255, 255)),
        ((0, 100, 200, 128), "RGBA", "PNG", (127, 177, 227)),
        ((100, 128), "LA", "PNG", (177, 177, 177)),
        ((0, 100, 200, 128), "RGBA", "TIFF", (127, 177, 227)),
        (0x8012, "I;16", "PNG", (0x80, 0x80, 0x80)),
        (0xFFFF, "I;16", "TIFF", (255, 255, 255)),
        (0x4000, "I", "TIFF", (0x40, 0x40, 0x40)),
        (0.5, "F", "TIFF", (128, 128, 128)),
        (131.4, "F", "TIFF", (131, 131, 131)),
        ((0, 255, 255, 0), "CMYK", "TIFF", (255, 0, 0)),
        ((0, 0, 0, 255), "CMYK", "TIFF", (0, 0, 0)),
        ((255, 128, 128), "YCbCr", "TIFF", (255, 255, 255)),
    ],
)
def test_golden_pixels_of_each_mode(pixel, mode, format, expected):
    assert one(pixel, mode, format) == expected


def test_cmyk_jpegs_are_inverted_as_adobe_writes_them():
    assert np.abs(np.subtract(one((0, 255, 255, 0), "CMYK", "JPEG"), (255, 0, 0))).max() <= 3
    assert np.abs(np.subtract(one((0, 0, 0, 0), "CMYK", "JPEG"), (255, 255, 255))).max() <= 3


def test_lab():
    white, black = (
        Image.merge("LAB", [Image.new("L", (2, 2), v) for v in (lightness, 128, 128)]) for lightness in (255, 0)
    )
    assert images.decode(white).getpixel((0, 0)) == pytest.approx((255, 255, 255), abs=2)
    assert images.decode(black).getpixel((0, 0)) == pytest.approx((0, 0, 0), abs=2)


@pytest.mark.parametrize("mode", ["HSV", "RGBX", "La", "RGBa", "PA"])
def test_modes_that_only_memory_knows(mode):
    colour = Image.new("RGB", (3, 3), (204, 204, 204))
    plain = {"La": "LA", "RGBa": "RGBA", "PA": "P"}.get(mode, "RGB")
    assert images.decode(colour.convert(plain).convert(mode)).getpixel((1, 1)) == (204, 204, 204)


def test_palettes_with_and_without_transparency():
    image = Image.new("P", (4, 4), 1)
    image.putpalette([9, 8, 7, 200, 30, 40])
    assert images.decode(drawn.encoded(image, "PNG")).getpixel((0, 0)) == (200, 30, 40)
    for format, transparency in (("PNG", 1), ("PNG", b"\xff\x00"), ("GIF", 1)):
        data = drawn.encoded(image, format, transparency=transparency)
        assert images.decode(data).getpixel((0, 0)) == (255, 255, 255)
    half = images.decode(drawn.encoded(image, "PNG", transparency=b"\xff\x80"))
    assert half.getpixel((0, 0)) == (227, 142, 147)


def test_transparent_colour_of_a_plain_png():
    assert one((1, 2, 3), "RGB", "PNG", transparency=(1, 2, 3)) == (255, 255, 255)
    assert one(17, "L", "PNG", transparency=17) == (255, 255, 255)
    assert one(17, "L", "PNG", transparency=18) == (17, 17, 17)


def test_grey_of_16_bits_is_that_of_16_bit_colour():
    deep = (np.arange(256, dtype=np.uint16)[None] * 257).repeat(2, axis=0)
    found = np.asarray(images.decode(drawn.encoded(deep, "PNG")))
    np.testing.assert_array_equal(found[0, :, 0], np.arange(256))


def test_16_bits_of_either_byte_order():
    values = np.array([[0, 0x1234, 0xFFFF]], np.uint16)
    header = b"P5\n3 1\n65535\n" + values.astype(">u2").tobytes()
    assert np.asarray(images.decode(header))[0, :, 0].tolist() == [0, 0x12, 0xFF]
    big_endian = Image.frombytes("I;16B", (3, 1), values.astype(">u2").tobytes())
    assert np.asarray(images.decode(big_endian))[0, :, 0].tolist() == [0, 0x12, 0xFF]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([-100, 0, 155], [0, 100, 255]),
        ([0, 1 << 20], [0, 255]),
        ([-(2**31), 2**31 - 1], [0, 255]),
        ([5.0, 1005.0, 2555.0], [0, 100, 255]),
        ([float("nan"), 0.0, 1.0, float("inf")], [0, 0, 255, 0]),
        ([float("nan")], [0]),
        ([-3e38, 3e38], [0, 255]),
        ([-7.0, -7.0], [0, 0]),
    ],
)
def test_other_ranges_are_stretched(values, expected):
    dtype = np.float32 if isinstance(values[0], float) else np.int32
    assert to_grey(np.array([values], dtype)).tolist() == [expected]


def test_icc_profiles_change_nothing():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert one((10, 200, 30), "RGB", "PNG", icc_profile=profile) == (10, 200, 30)


@pytest.mark.parametrize("name", ["animated.gif", "animated.png", "animated.webp", "pages.tif"])
def test_an_animation_is_its_first_frame(tmp_path, name):
    found = np.asarray(images.decode(drawn.odd_files(tmp_path)[name])).astype(int)
    assert np.abs(found - drawn.drawing()).mean() < 6


def test_odd_files_can_all_be_read(tmp_path):
    for path in drawn.odd_files(tmp_path).values():
        assert images.load(path, Resize(32, 32)).shape == (32, 32, 3)


# --- Orientation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_images_are_turned_upright(orientation, format):
    scene = drawn.drawing()
    data = drawn.with_orientation(drawn.stored_for(scene, orientation), orientation, format)
    np.testing.assert_array_equal(np.asarray(images.decode(data)), scene)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_images_are_turned_upright(orientation, format):
    scene = drawn.drawing()
    stored = drawn.stored_for(scene, orientation)
    found = np.asarray(images.decode(drawn.with_orientation(stored, orientation, format, quality=95)))
    assert found.shape == scene.shape and np.abs(found.astype(int) - scene).mean() < 4


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_makes_no_sense_is_ignored(orientation):
    scene = drawn.drawing()
    np.testing.assert_array_equal(np.asarray(images.decode(drawn.with_orientation(scene, orientation))), scene)


def test_damaged_exif_is_ignored():
    scene = drawn.drawing()
    data = drawn.encoded(scene, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    np.testing.assert_array_equal(np.asarray(images.decode(data)), scene)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic(orientation):
    pillow_heif = pytest.importorskip("pillow_heif")
    scene = drawn.drawing(96, 128)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    stored = Image.fromarray(drawn.stored_for(scene, orientation))
    pillow_heif.from_pillow(stored).save(stream, quality=95, exif=exif.tobytes())
    found = np.asarray(images.decode(stream.getvalue()))
    assert found.shape == scene.shape and np.abs(found.astype(int) - scene).mean() < 3


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match="needs the package pillow-heif"):
        images.decode(b"\x00\x00\x00\x18ftypheic" + bytes(100))


def test_avif_under_a_brand_that_heif_has_too():
    data = drawn.encoded(drawn.drawing(), "AVIF")
    assert images.decode(data[:8] + b"mif1" + data[12:]).size == (64, 48)


# --- JPEGs at a reduced size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["crop", "pad", "squash"])
@pytest.mark.parametrize(("height", "width"), [(601, 803), (1203, 1001)])
def test_a_reduced_jpeg_differs_little(policy, height, width):
    # The worst case that was found: sharp edges, noise, and just twice the target left.
    data = drawn.encoded(drawn.detailed(height, width), "JPEG", quality=92)
    resize = Resize(128, 128, policy)
    difference = np.abs(images.load(data, resize).astype(int) - images.fit(images.decode(data), resize))
    assert difference.mean() < 1.5 and difference.max() <= 24
    assert difference.any(), "the image was not reduced, so that this shows nothing"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_reduced_jpeg_keeps_its_place_whatever_its_orientation(orientation):
    # 8 n + 1 pixels: the last ones of a reduced image are an eighth of a pixel wide.
    stored = drawn.stored_for(drawn.detailed(1601, 1409), orientation)
    data = drawn.with_orientation(stored, orientation, "JPEG", quality=92)
    for resize in (Resize(64, 96, "squash"), Resize(64, 48, "crop", 1.0)):
        difference = np.abs(images.load(data, resize).astype(int) - images.fit(images.decode(data), resize))
        assert difference.mean() < 1.5 and difference.max() <= 24


@pytest.mark.parametrize(
    ("side", "target", "decoded"),
    [(511, 128, 511), (512, 128, 256), (1024, 128, 256), (2048, 128, 256), (1100, 32, 138)],
)
def test_how_far_a_jpeg_is_reduced(side, target, decoded, monkeypatch):
    seen = []
    monkeypatch.setattr(images, "to_rgb", lambda image: seen.append(image.size) or image)
    images.load(drawn.encoded(np.zeros((side, side, 3), np.uint8), "JPEG"), Resize(target, target, "squash"))
    images.load(drawn.encoded(np.zeros((side, side, 3), np.uint8), "PNG"), Resize(target, target, "squash"))
    assert seen == [(decoded, decoded), (side, side)]


def test_nearest_is_not_reduced():
    data = drawn.encoded(drawn.detailed(600, 600), "JPEG")
    resize = Resize(32, 32, "squash", interpolation="nearest")
    np.testing.assert_array_equal(images.load(data, resize), images.fit(images.decode(data), resize))


# --- What a source may be -------------------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_pixels(tmp_path):
    scene = drawn.drawing()
    path = tmp_path / "scene.png"
    path.write_bytes(drawn.encoded(scene, "PNG"))
    expected = images.load(scene, Resize(16, 16))
    with path.open("rb") as file:
        for source in (
            path, str(path), path.read_bytes(), bytearray(path.read_bytes()), file, Image.open(path),
            Source(str(path)), Source.from_array(scene),
        ):  # fmt: skip
            np.testing.assert_array_equal(images.load(source, Resize(16, 16)), expected)
        assert not file.closed


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_arrays_of_any_channels(channels):
    shape = (5, 7) if channels is None else (5, 7, channels)
    array = np.full((10, 14, *shape[2:]), 255, np.uint8)[::2, ::2]
    before = array.copy()
    assert (images.load(array, Resize(4, 4)) == 255).all()
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((4, 4), bool), "bool"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
    ],
)
def test_other_arrays_are_errors(array, reason):
    with pytest.raises(ImageError, match=reason):
        images.load(array, Resize(4, 4))


def test_other_things_are_errors(tmp_path):
    with pytest.raises(ImageError, match="a NoneType, not an image"):
        images.load(None, Resize(4, 4))
    with pytest.raises(ImageError, match="reading text"):
        images.load(io.StringIO("text"), Resize(4, 4))
    with pytest.raises(ImageError, match="not a valid file name"):
        images.load("a\0b", Resize(4, 4))
    with pytest.raises(ImageError, match="a folder, not a file"):
        images.load(tmp_path, Resize(4, 4))
    with pytest.raises(ImageError, match="no such file"):
        images.load(tmp_path / "nothing.jpg", Resize(4, 4))
    with pytest.raises(ImageError, match="because"):
        images.load(Source("x", problem="because"), Resize(4, 4))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is permitted to root")
def test_a_forbidden_file(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(ImageError, match="permission denied"):
        images.load(path, Resize(4, 4))


# --- Damage ---------------------------------------------------------------------------------------------------------

REASONS = {
    "empty": "the file is empty",
    "text": "not an image: it begins with text",
    "web_page": "not an image: it is a web page",
    "postscript": "not an image: it is a PostScript document",
    "cut_jpeg": "cut short: the file ends after",
    "cut_png": "cut short: the file ends after",
    "cut_gif": "cut short: the file ends after",
    "png_wrong_checksum": "damaged: it begins like a PNG image",
    "bomb": "too large: 60000×60000 pixels, and the limit is 210 million",
    "ribbon": "too long",
    "many_scans": "made to take long",
    "broken_link": "no such file",
}


def test_every_broken_file_has_its_reason(tmp_path):
    broken = drawn.broken_files(tmp_path)
    assert len(broken) >= 15
    for kind, path in broken.items():
        with pytest.raises(ImageError) as caught:
            images.load(path, Resize(32, 32))
        reason = str(caught.value)
        assert reason.startswith(REASONS.get(kind, "")), kind
        assert "\n" not in reason and len(reason) < 300 and str(path) not in reason and "BytesIO" not in reason, reason


BEGINNINGS = [
    *(
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"BM",
        b"RIFF\x40\0\0\0WEBP",
        b"II*\0",
        b"MM\0*",
        b"II+\0\x08\0\0\0",
    ),
    *(
        b"P6 4 4 255\n",
        b"P3 ",
        b"qoif",
        b"8BPS",
        b"DDS ",
        b"\0\0\1\0",
        b"icns",
        b"\0\0\0\x20ftypavif",
        b"\0\0\0\x18ftypheic",
    ),
    *(b"\x01\xda", b"\0\0\2\0", b"BLP2", b"SIMPLE  =", b"/* XPM */", b"\x0a\x05\x01\x08", b"\0\0\0\x0cjP  \r\n\x87\n"),
]


@FAST
@given(data=st.binary(max_size=400), start=st.sampled_from(BEGINNINGS))
def test_no_bytes_raise_anything_but_image_error(data, start):
    try:
        found = images.load(start + data, Resize(8, 8), max_pixels=1_000_000)
    except ImageError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert found.shape == (8, 8, 3)


FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA"),
    *("JPEG2000", "SGI", "AVIF", "ICO", "PCX", "QOI", "DDS"),
)
SAMPLES = {
    **{format: drawn.encoded(drawn.detailed(40, 50), format) for format in FORMATS},
    "progressive JPEG": drawn.encoded(drawn.detailed(40, 50), "JPEG", progressive=True),
    "LZW TIFF": drawn.encoded(drawn.detailed(40, 50), "TIFF", compression="tiff_lzw"),
    "deflate TIFF": drawn.encoded(drawn.detailed(40, 50), "TIFF", compression="tiff_adobe_deflate"),
    "RLE TGA": drawn.encoded(drawn.detailed(40, 50), "TGA", compression="tga_rle"),
}


@FAST
@given(name=st.sampled_from(sorted(SAMPLES)), share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_an_error_or_the_whole_image(name, share):
    whole = SAMPLES[name]
    try:
        found = np.asarray(images.decode(whole[: int(len(whole) * share)]))
    except ImageError:
        return
    np.testing.assert_array_equal(found, np.asarray(images.decode(whole)))


@FAST
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    place=st.floats(0, 1, exclude_max=True),
    data=st.binary(min_size=1, max_size=8),
)
def test_a_damaged_file_never_raises_anything_but_image_error(name, place, data):
    whole = bytearray(SAMPLES[name])
    at = int(len(whole) * place)
    whole[at : at + len(data)] = data
    try:
        assert images.load(bytes(whole), Resize(8, 8), max_pixels=1_000_000).shape == (8, 8, 3)
    except ImageError as error:
        assert str(error)


def test_the_pixel_limit_is_a_parameter():
    data = drawn.encoded(drawn.drawing(40, 50), "PNG")
    assert images.decode(data, max_pixels=2000).size == (50, 40)
    with pytest.raises(ImageError, match="50×40 pixels"):
        images.decode(data, max_pixels=1999)
    with pytest.raises(ImageError, match="50×40 pixels"):
        images.decode(Image.fromarray(drawn.drawing(40, 50)), max_pixels=1999)


def test_formats_that_are_decoded_in_python_have_a_smaller_limit():
    width = MAX_PIXELS_IN_PYTHON // 1000 + 1
    header = b"qoif" + width.to_bytes(4, "big") + (1000).to_bytes(4, "big") + b"\x03\x00"
    with pytest.raises(ImageError, match="the limit for QOI is 16 million"):
        images.decode(header + b"\xfd" * 1000)


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), SystemError("x"), OverflowError("x"), KeyError(3)]
)
def test_whatever_a_decoder_raises_becomes_an_image_error(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError):
        images.decode(SAMPLES["BMP"])


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interruptions_pass(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(error):
        images.decode(SAMPLES["BMP"])


def test_nothing_is_written_to_standard_error(tmp_path):
    # In a process of its own, because pytest catches warnings, and Pillow's C libraries write past Python.
    drawn.broken_files(tmp_path)
    (tmp_path / "large.png").write_bytes(drawn.png_of_size(10_000, 10_000))
    script = (
        "import sys, pathlib\nfrom zoo.images import decode as images\nfrom zoo.core.spec import Resize\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try: images.load(path, Resize(8, 8))\n"
        "    except images.ImageError: pass\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, cwd=ROOT, check=False)
    assert (run.returncode, run.stderr, run.stdout) == (0, b"", b"")


def test_files_are_closed_and_not_changed(tmp_path):
    path = tmp_path / "scene.tif"
    path.write_bytes(drawn.encoded(drawn.drawing(), "TIFF"))
    before = path.stat().st_mtime_ns, path.read_bytes()
    images.load(path, Resize(8, 8))
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    if Path("/proc/self/fd").is_dir():
        assert str(path) not in [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]


def test_threads_get_the_same_pixels(tmp_path):
    paths = list(drawn.odd_files(tmp_path).values())
    expected = [images.load(path, Resize(24, 24)) for path in paths]
    gate = threading.Barrier(8)

    def work(shift):
        gate.wait()
        order = paths[shift:] + paths[:shift]
        return [images.load(path, Resize(24, 24)) for path in order]

    with ThreadPoolExecutor(8) as pool:
        for shift, found in enumerate(pool.map(work, range(8))):
            for ours, theirs in zip(found, expected[shift:] + expected[:shift], strict=True):
                np.testing.assert_array_equal(ours, theirs)


def test_formats_can_be_registered_by_many_threads_at_once(tmp_path):
    # In a fresh process: Pillow loads its plugins with the first file that needs them.
    (tmp_path / "scene.webp").write_bytes(SAMPLES["WEBP"])
    script = (
        "import sys, threading\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "from zoo.images import decode as images\n"
        "gate = threading.Barrier(8)\n"
        "def work(_):\n    gate.wait()\n    return images.decode(sys.argv[1]).size\n"
        "with ThreadPoolExecutor(8) as pool:\n    assert set(pool.map(work, range(8))) == {(50, 40)}\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "scene.webp")]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.real
@pytest.mark.parametrize("policy", ["crop", "squash"])
def test_reduced_photographs_differ_little(real_data, policy):
    paths = sorted((real_data / "imagenet200").glob("*.jpg"))
    if not paths:
        pytest.skip(f"there are no photographs in {real_data}")
    # So small a target that photographs of this size are reduced.
    resize = Resize(48, 48, policy)
    differences = [
        np.abs(images.load(path, resize).astype(int) - images.fit(images.decode(path), resize)) for path in paths
    ]
    reduced = [difference for difference in differences if difference.any()]
    assert len(reduced) > len(paths) / 2
    assert np.mean([difference.mean() for difference in reduced]) < 0.6
    assert max(difference.mean() for difference in reduced) < 1.6
    assert max(difference.max() for difference in reduced) <= 24


@pytest.mark.real
def test_real_photographs_all_load(real_data):
    paths = sorted((real_data / "imagenet200").glob("*.jpg"))
    if not paths:
        pytest.skip(f"there are no photographs in {real_data}")
    for path, policy in zip(paths, itertools.cycle(["crop", "pad", "squash"])):
        found = images.load(path, Resize(224, 224, policy))
        assert found.shape == (224, 224, 3) and found.std() > 5
