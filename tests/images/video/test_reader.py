"""Which frame is on the screen when: the same whether all are decoded or few, in order or by a jump."""

from __future__ import annotations

import contextlib
import io
import itertools
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.images.video.clips import av, clip, counting, number_of, numbered
from zoo.core.errors import ImageError
from zoo.images.video.reader import Reader

#: Kinds of videos: with and without frames that nothing is made from, groups that are open and closed, hidden frames,
#: key frames only, with an index and without.
KINDS = {
    "mpeg4 in mp4": {"options": {"bf": "2", "g": "30"}},
    "mpeg4 in avi": {"options": {"bf": "2"}, "format": "avi"},
    "mpeg2 in matroska": {"codec": "mpeg2video", "options": {"bf": "2"}, "format": "matroska"},
    "h264 in mp4": {"codec": "libx264", "options": {"g": "50"}},
    "h264, open groups": {"codec": "libx264", "options": {"x264-params": "open-gop=1:keyint=40:bframes=8:ref=4"}},
    "h264 in matroska": {"codec": "libx264", "options": {"g": "50"}, "format": "matroska"},
    "h264 in fragments": {
        "codec": "libx264",
        "options": {"g": "50"},
        "container": {"movflags": "frag_keyframe+empty_moov"},
    },
    "h264 in mpeg-ts": {"codec": "libx264", "options": {"g": "50"}, "format": "mpegts"},
    "vp9 in webm": {
        "codec": "libvpx-vp9",
        "format": "webm",
        "options": {"g": "64", "cpu-used": "8", "deadline": "realtime"},
    },
    "vp8 in webm": {"codec": "libvpx", "format": "webm", "options": {"g": "50", "cpu-used": "8", "auto-alt-ref": "1"}},
    "ffv1 in matroska": {"codec": "ffv1", "format": "matroska"},
}
#: Times between frames in milliseconds, from a fast camera's to those of a recording of a screen.
GAPS = [20, 33, 40, 100, 700]


def shown(data: bytes, step: Fraction, **how: bool) -> list[int | None]:
    """The numbers of the frames on the screen at 0, step, 2 step, …"""
    stream = io.BytesIO(data)
    if how.get("pipe"):
        stream.seekable = lambda: False  # type: ignore[method-assign]
    found: list[int | None] = []
    with Reader(stream) as reader:
        for index in itertools.count():
            now = reader.at(step * index)
            if now is None:
                assert how.get("problem") or reader.problem is None
                return found
            found.append(None if now.image is None else number_of(now.image.to_ndarray(format="rgb24")))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_each_time_has_its_frame(kind):
    data = counting(200, **KINDS[kind])
    for step in (Fraction(1, 5), Fraction(1), Fraction(27, 10), Fraction(5)):
        expected = [int(time * 25) for time in itertools.takewhile(lambda t: t < 8, (step * n for n in range(100)))]
        assert shown(data, step) == expected


@pytest.mark.parametrize(
    "kind", ["mpeg4 in mp4", "h264 in mp4", "h264, open groups", "h264 in matroska", "vp9 in webm"]
)
def test_frames_stay_until_the_next_one(kind):
    gaps = np.random.default_rng(3).choice(GAPS, 120)
    times = np.concatenate([[0], np.cumsum(gaps)[:-1]]).tolist()
    data = counting(120, times=times, **KINDS[kind])
    for step in (Fraction(1, 4), Fraction(3), Fraction(7)):
        moments = [step * index for index in range(int(times[-1] / 1000 / step) + 1)]
        expected = [sum(time <= moment * 1000 for time in times) - 1 for moment in moments]
        assert shown(data, step)[: len(moments)] == expected


def test_few_frames_are_decoded_where_few_are_asked_for(monkeypatch):
    data = counting(300, codec="libx264", options={"g": "50", "bf": "3", "b-adapt": "0"})
    counts = {}
    for step in (1, 5):
        with Reader(io.BytesIO(data)) as reader:
            frames = 0
            original = reader._decode

            def counted(original=original):
                nonlocal frames
                for frame in original():
                    frames += 1
                    yield frame

            reader._decode, reader._decoded = counted, counted()
            for second in range(0, 12, step):
                assert reader.at(Fraction(second)) is not None
        counts[step] = frames
    # Of nearly half of the frames no other is made; and key frames are 2 seconds apart.
    assert counts[1] < 240
    assert counts[5] < 100


def test_a_pipe_is_read_in_order():
    for format in ("matroska", "mpegts"):
        assert shown(counting(100, codec="libx264", format=format), Fraction(1), pipe=True) == [0, 25, 50, 75]
    assert shown(counting(100, container={"movflags": "faststart"}), Fraction(2), pipe=True) == [0, 50]


def test_the_first_frame_is_at_0_whatever_its_stamp():
    late = {"times": [5000 + 40 * number for number in range(20)]}
    for more in (late, {"format": "mpegts"}):
        assert shown(counting(20, codec="libx264", **more), Fraction(1, 5)) == [0, 5, 10, 15]


def test_recordings_after_one_another():
    """Times that begin anew go on from where the first recording ended."""
    data = counting(50, codec="libx264", format="mpegts") * 2
    assert shown(data, Fraction(1, 2)) == [0, 12, 25, 37, 0, 12, 25, 37]


def test_a_stream_without_times():
    """A bare stream has no times at all, only a rate."""
    assert len(shown(counting(60, codec="libx264", format="h264"), Fraction(1))) in (2, 3)


def test_frames_in_order():
    with Reader(io.BytesIO(counting(30, codec="libx264"))) as reader:
        frames = list(reader.frames())
    assert [float(frame.time) for frame in frames] == pytest.approx([number / 25 for number in range(30)])
    assert [number_of(frame.image.to_ndarray(format="rgb24")) for frame in frames] == list(range(30))


# --- What is damaged ------------------------------------------------------------------------------------------------

#: Noise cannot be decoded to something by chance, and makes a frame large enough to be hit.
#: Each frame takes as many bytes as another.
EVEN = {"qmin": "8", "qmax": "8"}
NOISY = [
    numbered(number) // 2 + np.random.default_rng(number).integers(0, 60, (32, 144, 1), np.uint8)
    for number in range(100)
]


@pytest.mark.parametrize("format", ["mp4", "matroska", "webm", "avi", "mpeg"])
def test_what_is_cut_short_gives_what_is_there_and_the_reason(format):
    codec = {"webm": "libvpx-vp9", "mpeg": "mpeg2video"}.get(format, "mpeg4")
    options = {"cpu-used": "8", "deadline": "realtime"} if format == "webm" else EVEN
    container = {"movflags": "faststart"} if format == "mp4" else None
    data = clip(NOISY, codec=codec, format=format, options=options, container=container)
    with Reader(io.BytesIO(data[: len(data) * 6 // 10])) as reader:
        found = [reader.at(Fraction(index, 5)) for index in range(20)]
        there = [frame for frame in found if frame is not None]
        assert 6 <= len(there) <= 14
        assert all(frame.image is not None for frame in there)
        assert reader.problem is not None
        assert "cut short" in reader.problem or "damaged" in reader.problem
        assert there[-1].time < reader.end <= there[-1].time + Fraction(1, 2)


def test_damage_in_the_middle_costs_the_frames_to_the_next_key_frame():
    data = bytearray(clip(NOISY, codec="libx264", options={"g": "25", "bf": "0"}, container={"movflags": "faststart"}))
    middle = len(data) * 11 // 20
    data[middle : middle + 3000] = bytes(3000)
    for step in (1, 7):
        with Reader(io.BytesIO(bytes(data))) as reader:
            frames = [reader.at(Fraction(index * step, 25)) for index in range(0, 100 // step)]
            assert reader.problem is None
        images = {int(frame.time * 25): frame.image for frame in frames if frame is not None}
        lost = [frame for frame in frames if frame is not None and frame.image is None]
        assert 1 <= len(lost) * step <= 57
        good = [number for number, image in images.items() if image is not None]
        # Nothing that is given shows another frame, or half of one.
        for number in good:
            expected, got = NOISY[number].astype(int), images[number].to_ndarray(format="rgb24").astype(int)
            assert np.abs(got - expected).mean() < 12
        assert min(good) == 0
        assert max(good) >= 91


def test_zeros_to_the_end():
    for format in ("mp4", "matroska"):
        data = clip(
            NOISY, format=format, options=EVEN, container={"movflags": "faststart"} if format == "mp4" else None
        )
        half = len(data) // 2
        with Reader(io.BytesIO(data[:half] + bytes(len(data) - half))) as reader:
            found = list(
                itertools.takewhile(lambda now: now is not None, (reader.at(Fraction(n, 5)) for n in range(20)))
            )
            assert 5 <= len(found) <= 14
            assert reader.problem


def refusal(data: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        Reader(io.BytesIO(data))
    return str(caught.value)


def test_what_is_no_video():
    assert refusal(b"") == "the file is empty"
    assert refusal(b"hello" * 1000).startswith("not a video")
    assert refusal(bytes(5000)).startswith("not a video")
    assert refusal(counting(50)[:2000]).startswith("cut short: the file ends after 2,000 bytes")
    assert refusal(clip([], sound=True)) == "no video in it, only sound"


def test_the_image_on_a_record_is_no_video():
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as file:
        voice, cover = file.add_stream("aac", rate=8000), file.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 144, 32, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        silence.sample_rate = 8000
        image = av.VideoFrame.from_ndarray(numbered(1))
        for packet in [*cover.encode(image), *cover.encode(), *voice.encode(silence), *voice.encode()]:
            file.mux(packet)
    assert refusal(data.getvalue()) == "no video in it, only sound"


def test_a_list_of_other_files_is_not_followed(tmp_path):
    (tmp_path / "secret.ts").write_bytes(counting(10, codec="libx264", format="mpegts"))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{tmp_path / 'secret.ts'}\n#EXT-X-ENDLIST\n"
    assert refusal(playlist.encode()).startswith("not a video")
    assert refusal(f"ffconcat version 1.0\nfile '{tmp_path / 'secret.ts'}'\n".encode()).startswith("not a video")


SMALL = [counting(50, codec=codec, format=format) for codec, format in (("mpeg4", "mp4"), ("mpeg2video", "matroska"))]


@given(
    st.sampled_from(SMALL), st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4)), max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_any_damage_ends_in_frames_and_a_reason(data, places):
    broken = bytearray(data)
    for place, value in places:
        broken[place % len(data) : place % len(data) + len(value)] = value
    with contextlib.suppress(ImageError), Reader(io.BytesIO(bytes(broken))) as reader:
        last = Fraction(-1)
        # A time that was hit may keep a frame on the screen for an hour, and no longer.
        for index in range(50):
            now = reader.at(Fraction(index * 360))
            if now is None:
                break
            assert last <= now.time <= index * 360
            last = now.time


def test_times_that_leap_are_not_waited_for():
    times = [0, 1000, 2000, 90_000_000, 90_001_000]
    assert shown(counting(5, times=times, codec="libx264", format="matroska"), Fraction(1)) == [0, 1, 2, 3]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length():
    """Of 600 frames of 600 kB not ten stay, whatever is asked of each."""
    code = """
import io, resource
from fractions import Fraction
from tests.images.video.clips import clip, numbered
from zoo.images.video.rendering import to_ppm
from zoo.images.video.reader import Reader

def used():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20

frames = [numbered(number).repeat(12, 0).repeat(7, 1) for number in range(4)]
data = clip((frames[number % 4] for number in range(600)), options={"g": "12"})
with Reader(io.BytesIO(data)) as reader:
    for index, shown in enumerate(reader.frames()):
        to_ppm(shown.image, reader.display)
        if index == 200:
            before = used()
    print(used() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True)
    assert int(done.stdout) < 20
