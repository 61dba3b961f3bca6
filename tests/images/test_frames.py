"""Videos among other inputs: what each gives, in which order, and what it costs."""

from __future__ import annotations

import itertools
import os
import sys
import threading

import numpy as np
import pytest

from tests import drawn
from tests.images.video.clips import clip, counting, number_of, numbered
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.images import decode as images
from zoo.images.discovery import find
from zoo.images.frames import expand
from zoo.images.source import Source

IMAGE = drawn.encoded(drawn.drawing(), "PNG")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A video of four seconds, an image and a text, where the test runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").write_bytes(counting(100, options={"g": "25"}))
    (tmp_path / "a.png").write_bytes(IMAGE)
    (tmp_path / "notes.txt").write_text("text")
    return tmp_path


def frames(*inputs, every="1s"):
    return list(expand(find(inputs, videos=True), every))


def number(source: Source) -> int:
    return number_of(images.decode(source))


def test_a_video_becomes_its_frames_where_it_stands(folder):
    found = frames("a.png", "clip.mp4", "notes.txt", "missing.mp4")
    moments = ["clip.mp4#t=0.000", "clip.mp4#t=1.000", "clip.mp4#t=2.000", "clip.mp4#t=3.000"]
    assert [source.path for source in found] == ["a.png", *moments, "notes.txt", "missing.mp4"]
    assert [number(source) for source in found[1:5]] == [0, 25, 50, 75]
    assert [source.problem for source in found] == [None] * 6 + ["no such file or folder"]
    assert [source.frame and source.frame.seconds for source in found] == [None, 0.0, 1.0, 2.0, 3.0, None, None]
    assert len({source.frame.video for source in found[1:5]}) == 1


def test_every_so_many_frames(folder):
    found = frames("clip.mp4", every="30f")
    assert [number(source) for source in found] == [0, 30, 60, 90]
    assert [source.path.partition("=")[2] for source in found] == ["0.000", "1.200", "2.400", "3.600"]
    assert [number(source) for source in frames("clip.mp4", every="1f")] == list(range(100))


def test_a_long_time_still_gives_the_first_frame(folder):
    assert [source.path for source in frames("clip.mp4", every="10h")] == ["clip.mp4#t=0.000"]


def test_the_same_video_twice_is_two(folder):
    found = frames("clip.mp4", "clip.mp4", every="3s")
    assert [source.path.partition("=")[2] for source in found] == ["0.000", "3.000"] * 2
    assert len({source.frame.video for source in found}) == 2


def test_without_every_a_video_says_what_to_do(folder):
    (source,) = frames("clip.mp4", every=None)
    assert source.problem == "a video; --every 1s takes an image of it each second"
    assert [source.path for source in expand(find("."), None)] == ["./a.png"]


def test_every_is_checked_at_once(folder):
    with pytest.raises(UsageError, match="Received: often"):
        expand([], "often")


def test_the_path_of_a_moment_is_a_image_everywhere(folder):
    for path, expected in (("clip.mp4#t=2.000", 50), ("clip.mp4#t=2.039", 50), ("./clip.mp4#t=0", 0)):
        (source,) = find(path)
        assert (source.path, source.problem) == (path, None)
        assert number(source) == number_of(images.decode(path)) == expected
    for path in (source.path for source in frames("clip.mp4", every="7f")):
        assert number_of(images.decode(path)) % 7 == 0
    for path, reason in (
        ("clip.mp4#t=4.000", "the video ends at 0:04.00"),
        ("a.png#t=1", "not a video"),
        ("none.mp4#t=1", "no such file"),
    ):
        with pytest.raises(ImageError, match=reason):
            images.decode(path)
    assert find("none.mp4#t=1").__next__().problem == "no such file or folder"
    (folder / "clip.mp4#t=1").write_bytes(IMAGE)
    assert images.decode("clip.mp4#t=1").size == (64, 48)


def test_a_frame_can_be_read_again_and_holds_memory_only_once(folder):
    first, *_ = found = frames("clip.mp4")
    assert first.held >= 144 * 32 * 3 // 2
    assert [number(source) for source in found] == [number(source) for source in found] == [0, 25, 50, 75]
    assert first.held == 0


def test_frames_that_stay_are_read_in_several_threads(folder):
    (folder / "slow.mp4").write_bytes(counting(3, times=[0, 4000, 8000], options={"g": "1"}))
    found = frames("slow.mp4", every="100ms")
    results: list[int] = [-1] * len(found)

    def read(index: int) -> None:
        results[index] = number(found[index])

    threads = [threading.Thread(target=read, args=(index,)) for index in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[:80] == [0] * 40 + [1] * 40
    assert set(results[80:]) == {2}


def test_what_is_damaged_gives_the_frames_before_and_one_reason(folder):
    whole = counting(100, options={"g": "25"}, container={"movflags": "faststart"})
    (folder / "cut.mp4").write_bytes(whole[: len(whole) * 7 // 10])
    *good, last = frames("cut.mp4", every="200ms")
    assert len(good) >= 8
    assert [number(source) for source in good] == [5 * index for index in range(len(good))]
    assert last.problem is not None
    assert last.problem.startswith("no frame after 0:0")
    assert "cut short: the file ends after" in last.problem
    assert last.path.startswith("cut.mp4#t=")
    assert last.frame.seconds > good[-1].frame.seconds
    with pytest.raises(ImageError, match="no frame after"):
        last.open()


def test_damage_in_the_middle_is_one_reason_and_the_frames_after_it_come(folder):
    noise = [numbered(n) // 2 + np.random.default_rng(n).integers(0, 60, (32, 144, 1), np.uint8) for n in range(100)]
    data = bytearray(clip(noise, codec="libx264", options={"g": "25", "bf": "0"}))
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    (folder / "hit.mp4").write_bytes(data)
    found = frames("hit.mp4", every="1f")
    (lost,) = [source for source in found if source.problem]
    assert lost.problem.startswith("damaged from 0:0")
    assert 40 < len(found) < 100
    place = found.index(lost)
    assert found[place + 1].frame.seconds - lost.frame.seconds <= 1.04


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"text" * 100, "not a video"),
        (counting(50)[:3000], "cut short"),
        (clip([], sound=True), "no video in it, only sound"),
    ],
)
def test_what_gives_no_frame_is_one_row(folder, data, reason):
    (folder / "bad.mp4").write_bytes(data)
    (source,) = frames("bad.mp4")
    assert source.path == "bad.mp4"
    assert reason in source.problem
    assert source.frame.seconds is None


def test_sound_beside_it_does_not_matter(folder):
    (folder / "sound.mp4").write_bytes(counting(50, sound=True))
    assert [number(source) for source in frames("sound.mp4")] == [0, 25]


def test_content_decides_where_the_name_says_nothing(folder):
    (folder / "clip.mp4").rename("download")
    (folder / "a.png").rename("photo.mp4")
    assert len(frames("download")) == 4
    assert [source.path for source in frames("photo.mp4", every=None)] == ["photo.mp4"]
    assert images.decode(frames("photo.mp4")[0]).size == (64, 48)
    (folder / "film.avif").write_bytes(drawn.encoded(drawn.drawing(), "AVIF"))
    assert [source.frame for source in frames("film.avif")] == [None]


@pytest.mark.parametrize("name", [b"a:b%03d.mp4", b"-.mp4", b"bad\xff.mp4", b"concat:x.mp4", "ü ☂.mp4".encode()])
def test_any_name(folder, name):
    os.rename("clip.mp4", name)
    found = frames(name)
    assert [number(source) for source in found] == [0, 25, 50, 75]
    assert os.fsencode(found[1].path) == name + b"#t=1.000"
    assert number_of(images.decode(found[2].path)) == 50


@pytest.mark.parametrize("format", ["matroska", "mpegts", "mp4"])
def test_a_pipe(folder, format):
    data = counting(100, codec="libx264", format=format, container={"movflags": "faststart"} if format == "mp4" else {})
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: (folder / "pipe").write_bytes(data))
    writer.start()
    found = frames("pipe")
    writer.join()
    assert [source.path for source in found][1] == "pipe#t=1.000"
    assert [number(source) for source in found] == [0, 25, 50, 75]


def test_an_address(folder):
    (source,) = expand([Source("https://example.org/clip.mp4?x=1", "url")], "1s")
    assert "download it first" in source.problem


def test_frames_come_one_by_one(folder):
    (folder / "long.mp4").write_bytes(counting(500))
    found = expand(find("long.mp4"), "1f")
    paths = [source.path for source in itertools.islice(found, 3)]
    assert paths == ["long.mp4#t=0.000", "long.mp4#t=0.040", "long.mp4#t=0.080"]
    # What is open is closed when nobody asks any more.
    found.close()


def test_without_the_library_one_sentence_says_what_to_do(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UnavailableError, match=r"pip install 'keras-zoo\[video\]'"):
        frames("clip.mp4")
    assert [source.path for source in frames("a.png")] == ["a.png"]
    (source,) = frames("clip.mp4", every=None)
    assert "--every 1s" in source.problem
