"""Videos that are cut short."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.images.video.clips import counting
from zoo.images.video.container import cut

FORMATS = {
    "mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "webm": "libvpx", "avi": "mpeg4", "mpegts": "mpeg2video",
    "mpeg": "mpeg2video", "flv": "flv", "asf": "wmv2", "ogg": "libvpx",
}  # fmt: skip


@pytest.mark.parametrize("format", FORMATS)
def test_whole_videos_are_not_cut(format):
    data = counting(30, codec=FORMATS[format], format=format)
    assert cut(io.BytesIO(data)) is None


@pytest.mark.parametrize("format", ["mp4", "mov", "matroska", "webm"])
def test_what_is_cut_short_is_known(format):
    data = counting(60, codec=FORMATS[format], format=format)
    for share in (0.3, 0.6, 0.95):
        short = data[: int(len(data) * share)]
        assert cut(io.BytesIO(short)) == f"cut short: the file ends after {len(short):,} bytes, and the video does not"
    file = io.BytesIO(data)
    file.seek(7)
    assert cut(file) is None
    assert file.tell() == 7


def test_a_recording_whose_length_was_never_written_is_not_cut():
    data = counting(60, format="matroska", container={"live": "1"})
    assert cut(io.BytesIO(data)) is None
    assert cut(io.BytesIO(data[:-1000])) is None


def test_large_boxes():
    large = b"\0\0\0\x08free" + b"\0\0\0\x01mdat" + (1 << 33).to_bytes(8, "big")
    assert "cut short" in (cut(io.BytesIO(large)) or "")
    whole = b"\0\0\0\x08free" + b"\0\0\0\x01mdat" + (24).to_bytes(8, "big") + bytes(8)
    assert cut(io.BytesIO(whole)) is None


@given(st.binary(max_size=500))
def test_any_bytes(data):
    file = io.BytesIO(data)
    assert cut(file) is None or "cut short" in str(cut(file))
    for start in (b"\x1aE\xdf\xa3", b"\0\0\0\x08ftyp"):
        cut(io.BytesIO(start + data))
