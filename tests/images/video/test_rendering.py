"""The colours, the shape and the turn of what a player shows."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.images.video.clips import av, clip
from zoo.images import decode as images
from zoo.images.video.reader import Reader
from zoo.images.video.rendering import to_ppm

#: What the luma is made of (ITU-R BT.601-7, BT.709-6, BT.2020-2), by FFmpeg's number of the matrix.
MATRICES = {"601": (0.299, 0.114, 6), "709": (0.2126, 0.0722, 1), "2020": (0.2627, 0.0593, 9)}
COLOURS = [
    *((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (255, 255, 255), (0, 0, 0)),
    *((128, 128, 128), (200, 120, 60), (60, 120, 200), (20, 80, 40), (240, 200, 180), (90, 30, 90), (10, 10, 10)),
    (245, 245, 245),
]


def chart(height: int, width: int) -> np.ndarray:
    """Sixteen colours in a square of squares."""
    squares = np.array(COLOURS, np.uint8).reshape(4, 4, 3)
    return squares.repeat(height // 4, 0).repeat(width // 4, 1)


def planes(rgb: np.ndarray, matrix: str, full: bool) -> list[np.ndarray]:
    """Luma and both chromas by the standards' own equations, uint8."""
    red, blue, _ = MATRICES[matrix]
    r, g, b = np.moveaxis(rgb / 255, 2, 0)
    luma = red * r + (1 - red - blue) * g + blue * b
    chromas = (b - luma) / (2 - 2 * blue), (r - luma) / (2 - 2 * red)
    low, high, spread = (0, 255, 255) if full else (16, 219, 224)
    return [
        np.rint(low + high * luma).astype(np.uint8),
        *(np.rint(128 + spread * c).clip(0, 255).astype(np.uint8) for c in chromas),
    ]


def frame(rgb: np.ndarray, matrix: str, *, full: bool = False, tagged: bool = True) -> av.VideoFrame:
    """A frame as a decoder gives it, with a luma and two chromas for each pixel."""
    made = av.VideoFrame(rgb.shape[1], rgb.shape[0], "yuv444p")
    for plane, values in zip(made.planes, planes(rgb, matrix, full), strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    if tagged:
        made.colorspace, made.color_range = MATRICES[matrix][2], 2 if full else 1
    return made


def pixels(made: av.VideoFrame, **display: object) -> np.ndarray:
    from zoo.images.video.rendering import Display

    return np.asarray(images.decode(to_ppm(made, Display(**display))))


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
def test_colours_are_what_the_video_says(matrix, full):
    expected = chart(64, 96)
    assert np.abs(pixels(frame(expected, matrix, full=full)).astype(int) - expected).max() <= 2


@pytest.mark.parametrize(("height", "width", "matrix"), [(480, 640, "601"), (576, 720, "601"), (720, 1280, "709")])
def test_colours_of_which_nothing_is_said_go_by_the_size(height, width, matrix):
    expected = chart(height, width)
    assert np.abs(pixels(frame(expected, matrix, tagged=False)).astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuv420p10le", "nv12", "gray", "gbrp", "rgb24", "rgba"]
)
def test_any_format_of_pixels(pixel_format):
    expected = drawn.drawing(48, 64)
    made = av.VideoFrame.from_ndarray(expected).reformat(format=pixel_format, dst_colorspace="ITU601")
    found = pixels(made).astype(int)
    if pixel_format == "gray":
        expected = np.repeat(np.asarray(Image.fromarray(expected).convert("L"))[:, :, None], 3, 2)
    # Where two colours meet, pixels that share a chroma mix them.
    inside = np.delete(np.delete(np.abs(found - expected), slice(20, 28), 0), slice(28, 36), 1)
    assert inside.max() <= 4


def test_a_photograph_comes_through_a_codec():
    expected = drawn.drawing(96, 128)
    data = clip([expected] * 3, codec="libx264", options={"crf": "5"})
    with Reader(io.BytesIO(data)) as reader:
        shown = reader.at(Fraction(0))
        found = images.decode(to_ppm(shown.image, reader.display))
    assert np.abs(np.asarray(found).astype(int) - expected).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_turns(orientation):
    """The eight orientations that EXIF has, as a camera writes them into a video."""
    turns = {2: (0, 1), 3: (180, 0), 4: (180, 1), 5: (-90, 1), 6: (-90, 0), 7: (90, 1), 8: (90, 0)}
    upright = drawn.drawing(64, 96)
    degrees, mirrored = turns.get(orientation, (0, 0))
    stored = drawn.stored_for(upright, orientation)
    turn = {"degrees": degrees, "hflip": bool(mirrored)} if orientation > 1 else None
    for format in ("mp4", "matroska"):
        with Reader(io.BytesIO(clip([stored] * 2, format=format, turn=turn, options={"qmax": "2"}))) as reader:
            found = np.asarray(images.decode(to_ppm(reader.at(Fraction(0)).image, reader.display)))
        assert found.shape == upright.shape
        assert np.abs(found.astype(int) - upright).mean() < 5


def test_pixels_that_are_not_square():
    expected = drawn.drawing(48, 96)
    for aspect, narrow in ((Fraction(3, 2), (64, 48)), (Fraction(1, 2), (96, 24))):
        stored = np.asarray(Image.fromarray(expected).resize(narrow))
        with Reader(io.BytesIO(clip([stored] * 2, format="matroska", aspect=aspect, options={"qmax": "2"}))) as reader:
            found = np.asarray(images.decode(to_ppm(reader.at(Fraction(0)).image, reader.display)))
        assert found.shape == expected.shape
        assert np.abs(found.astype(int) - expected).mean() < 6


def test_an_aspect_that_makes_no_sense_is_not_followed():
    made = frame(chart(64, 96), "601")
    for aspect in (Fraction(100), Fraction(1, 100)):
        assert pixels(made, aspect=aspect).shape == (64, 96, 3)
