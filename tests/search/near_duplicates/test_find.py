"""Copies: which are found, which one is to be kept, and what is never suggested."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.search.files import opened
from zoo.core.errors import UsageError
from zoo.search.near_duplicates import THRESHOLD, find_duplicates


def direction(degrees):
    """A vector of the length 2 in a plane."""
    return [2 * np.cos(np.radians(degrees)), 2 * np.sin(np.radians(degrees))]


def image(path, width, quality=90):
    path.parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (width, width, 3), np.uint8)
    Image.fromarray(noise).save(path, quality=quality)
    return str(path)


def stamps(paths):
    return [(status.st_size, status.st_mtime_ns) for status in map(os.stat, paths)]


@pytest.fixture
def images(tmp_path):
    """Large, well saved, badly saved, and another image."""
    return [
        image(tmp_path / "p" / "badly.jpg", 40, quality=30),
        image(tmp_path / "p" / "other.jpg", 40),
        image(tmp_path / "p" / "large.jpg", 80),
        image(tmp_path / "p" / "well.jpg", 40),
    ]


ANGLES = [1, 90, 0, 2]


def test_the_largest_is_to_be_kept(tmp_path, images):
    badly, _, large, well = images
    with opened(tmp_path / "f.h5", [direction(a) for a in ANGLES], images, stamps=stamps(images)) as file:
        found = find_duplicates(file)
    (group,) = found.groups
    assert (group.kept.path, group.reason) == (large, "the most pixels")
    assert [copy.path for copy in group.others] == [badly, well]
    assert [copy.similarity for copy in group.others] == [
        round(float(np.cos(np.radians(angle))), 6) for angle in (1, 2)
    ]
    assert (group.kept.width, group.kept.height, group.kept.bytes) == (80, 80, os.path.getsize(large))
    assert group.bytes == found.bytes == os.path.getsize(badly) + os.path.getsize(well)
    assert (found.n, found.removable, found.threshold, found.left_out) == (4, 2, THRESHOLD, ())
    assert group.as_dict()["keep"] == large
    assert group.as_dict()["remove"] == [badly, well]
    assert all(os.path.exists(path) for path in images)


def test_what_is_not_like_the_one_to_keep_is_not_to_be_removed(tmp_path):
    sizes = [30, 60, 20, 20]
    paths = [image(tmp_path / f"{number}.jpg", size) for number, size in enumerate(sizes)]
    with opened(tmp_path / "f.h5", [direction(a) for a in (0, 15, 30, 45)], paths) as file:
        groups = find_duplicates(file, 0.96).groups
    # All four are connected; 3 is like 2 alone, which goes, so that it stays.
    assert [(group.kept.path, [copy.path for copy in group.others]) for group in groups] == [
        (paths[1], [paths[0], paths[2]])
    ]


def test_one_file_is_never_a_copy_of_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image(tmp_path / "a.jpg", 20)
    os.symlink("a.jpg", "link.jpg")
    os.link("a.jpg", "hard.jpg")
    names = ["link.jpg", "a.jpg", "./a.jpg", str(tmp_path / "a.jpg"), "hard.jpg", "a.jpg"]
    with opened(tmp_path / "f.h5", len(names) * [direction(0)], names) as file:
        assert find_duplicates(file).groups == ()
    Image.open("a.jpg").save("b.jpg", quality=20)
    with opened(tmp_path / "g.h5", (len(names) + 1) * [direction(0)], [*names, "b.jpg"]) as file:
        (group,) = find_duplicates(file).groups
    # Of several names, one that is no link.
    assert (group.kept.path, [copy.path for copy in group.others]) == ("a.jpg", ["b.jpg"])


def test_what_changed_or_went_is_left_out_with_a_reason(tmp_path, images):
    _, _, large, well = images
    before = stamps(images)
    os.remove(large)
    image(tmp_path / "p" / "well.jpg", 39)
    with opened(tmp_path / "f.h5", [direction(a) for a in ANGLES], images, stamps=before) as file:
        found = find_duplicates(file)
    assert found.groups == ()
    assert dict(found.left_out) == {large: "no such file", well: "changed since its vector was computed"}


def test_names_alone_are_judged_where_no_file_is_there(tmp_path):
    names = ["of another machine/b.jpg", "a.jpg", "https://example.org/a.jpg", "c"]
    with opened(tmp_path / "f.npy", [direction(a) for a in (0, 1, 2, 80)], names) as file:
        found = find_duplicates(file)
    (group,) = found.groups
    assert group.kept.path == "a.jpg"
    assert {copy.path for copy in group.others} == {names[0], names[2]}
    assert (group.kept.width, group.bytes, found.left_out) == (None, 0, ())
    assert group.reason == "nothing is known of the files; the shortest name"


def test_nothing_is_like_anything(tmp_path):
    with opened(tmp_path / "f.npy", np.eye(5)) as file:
        found = find_duplicates(file)
    assert (found.n, found.groups, found.removable, found.bytes) == (5, (), 0, 0)
    with opened(tmp_path / "g.npy", np.empty((0, 5))) as file:
        assert find_duplicates(file).n == 0


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan")])
def test_thresholds_that_make_no_sense(tmp_path, threshold):
    with pytest.raises(UsageError, match="--threshold"):
        find_duplicates(tmp_path / "f.npy", threshold)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"f\.npy"):
        find_duplicates(tmp_path / "f.npy")
