"""What a file is, whether it is still what its vector is of, and which copy to keep."""

from __future__ import annotations

import os

import pytest
from PIL import Image

from tests.drawn import broken_files
from zoo.search.near_duplicates.image_files import ImageFile, image_size, inspect_file, preference, reason_to_keep


def image(path, size=(8, 6), **how):
    Image.new("RGB", size, (200, 30, 90)).save(path, **how)
    return str(path)


def stamp(path):
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def test_a_image_as_it_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    plain, turned = image(tmp_path / "a.png"), image(tmp_path / "b.jpg", exif=exif)
    seen = inspect_file(plain, stamp(plain))
    assert (seen.image, seen.problem) == (ImageFile(plain, 8, 6, os.path.getsize(plain)), None)
    assert image_size(turned) == (6, 8)


def test_a_file_that_changed_or_went_is_no_copy(tmp_path):
    path = image(tmp_path / "a.png")
    size, time = stamp(path)
    for other in ((size + 1, time), (size, time + 1)):
        seen = inspect_file(path, other)
        assert "changed" in seen.problem
        assert seen.exists
    assert inspect_file(path, (-1, -1)).problem is None
    os.remove(path)
    seen = inspect_file(path, (size, time))
    assert (seen.problem, seen.exists) == ("no such file", False)


def test_one_file_under_several_names(tmp_path, monkeypatch):
    path = image(tmp_path / "a.png")
    os.link(path, tmp_path / "hard.png")
    os.symlink(path, tmp_path / "soft.png")
    monkeypatch.chdir(tmp_path)
    names = [path, "a.png", "./a.png", "hard.png", "soft.png"]
    assert len({inspect_file(name).identity for name in names}) == 1
    assert inspect_file(image(tmp_path / "b.png")).identity != inspect_file(path).identity


def test_addresses_and_odd_names_are_judged_by_their_names():
    seen = inspect_file("https://example.org/a.jpg")
    assert (seen.image.pixels, seen.problem) == (-1, None)
    assert inspect_file("a\0b").problem


def test_of_damaged_files_nothing_is_known_but_that_they_are_there(tmp_path):
    for kind, path in broken_files(tmp_path / "broken").items():
        seen = inspect_file(str(path))
        assert seen.problem or seen.image.bytes is not None, kind


BEST = [
    ImageFile("x/long name.jpg", 40, 30, 100),
    ImageFile("a.jpg", 30, 30, 900),
    ImageFile("b.jpg", 30, 30, 800),
    ImageFile("bb.jpg", 30, 30, 800),
    ImageFile("https://a", None, None, None),
]


def test_the_order_of_what_is_worth_keeping():
    assert sorted(reversed(BEST), key=preference) == BEST


@pytest.mark.parametrize(
    ("kept", "others", "words"),
    [
        (BEST[0], BEST[1:], "the most pixels"),
        (BEST[1], BEST[2:], "as many pixels as any, and the most bytes"),
        (BEST[2], BEST[3:], "as many pixels and bytes as any, and the shortest name"),
        (BEST[2], [BEST[2]], "as many pixels and bytes as any, and the first"),
        (BEST[4], [ImageFile("https://ab")], "nothing is known of the files; the shortest name"),
        (BEST[4], [ImageFile("https://b")], "nothing is known of the files; the first"),
        (
            ImageFile("a", None, None, 9),
            [ImageFile("b", None, None, 8)],
            "the most bytes; the number of pixels is unknown",
        ),
    ],
)
def test_why(kept, others, words):
    assert reason_to_keep(kept, others) == words
