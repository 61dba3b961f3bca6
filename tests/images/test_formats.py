"""The table of formats: names and signatures of images and videos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests import drawn
from tests.images.video.clips import counting
from zoo.images import formats
from zoo.images.formats import FORMATS, HEAD, match

VIDEOS = {
    "mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "webm": "libvpx", "avi": "mpeg4", "mpegts": "mpeg2video",
    "mpeg": "mpeg2video", "flv": "flv", "asf": "wmv2", "ogg": "libvpx",
}  # fmt: skip


def test_names_are_those_of_pillow_and_suffixes_belong_to_one_format():
    Image.init()
    names = {row.name for row in FORMATS if row.kind in ("image", "refused") and not row.plugin}
    # Pillow opens MPO as JPEG.
    assert names - {"MPO"} <= set(Image.OPEN)
    suffixes = [suffix for row in FORMATS for suffix in row.suffixes.split()]
    assert len(suffixes) == len(set(suffixes))
    for suffix, name in Image.registered_extensions().items():
        row = next((row for row in FORMATS if row.name == name), None)
        assert row is None or row.kind != "image" or suffix in row.suffixes.split()


@pytest.mark.parametrize("format", VIDEOS)
def test_videos_are_known_by_their_first_bytes(format):
    found = match(counting(10, codec=VIDEOS[format], format=format)[:HEAD])
    assert found is not None and found.kind == "video"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"])
def test_common_images_are_known_by_their_first_bytes(format):
    found = match(drawn.encoded(drawn.drawing(), format)[:HEAD])
    assert found is not None and found.name == format


@pytest.mark.parametrize("format", ["BMP", "PPM"])
def test_other_images_are_not_taken_for_anything_else(format):
    assert match(drawn.encoded(drawn.drawing(), format)[:HEAD]) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x1cftypisom\0\0\0\0mif1", None),
        (b"\0\0\0\x1cftypisom\0\0\0\0avc1", "MP4"),
        (b"RIFF\n\n\n\nAVI ", "AVI"),
        (b" \n%PDF-1.7", "PDF"),
        (b"<!DOCTYPE HTML>", "HTML"),
        (b"%!PS-Adobe", "EPS"),
        (b"II**/a.png", None),
        (b"", None),
    ],
)
def test_signatures(head, name):
    found = match(head)
    assert (found and found.name) == name


@given(st.binary(max_size=HEAD))
def test_any_bytes(head):
    found = match(head)
    assert match(head, "image") == (found if found and found.kind == "image" else None)


def test_suffixes_of_a_kind():
    assert ".jpg" in formats.IMAGE_SUFFIXES and ".mp4" in formats.VIDEO_SUFFIXES
    assert not formats.IMAGE_SUFFIXES & formats.VIDEO_SUFFIXES
