"""Where images go: never over what was read, never over one another."""

from __future__ import annotations

import os

import pytest

from zoo.cli.visualize.destination import Destination, check
from zoo.core.errors import UnavailableError, UsageError
from zoo.images.source import Source


def sources(*paths):
    return [Source(str(path)) for path in paths]


def test_a_png_is_one_image(tmp_path):
    target = Destination(tmp_path / "seen.PNG", sources("a.jpg"))
    assert target.path("a.jpg", "gradcam") == tmp_path / "seen.PNG"


def test_one_file_does_not_hold_several_images(tmp_path):
    with pytest.raises(UsageError, match="holds one image, and there are 2; name a folder"):
        Destination(tmp_path / "seen.png", sources("a.jpg", "b.jpg"))


@pytest.mark.parametrize("name", ["seen.jpg", "seen.webp"])
def test_images_are_png(tmp_path, name):
    with pytest.raises(UsageError, match=f"{name} does not end in .png; name a .png file"):
        Destination(tmp_path / name, sources("a.jpg"))


def test_folders_are_made(tmp_path):
    Destination(tmp_path / "a" / "b.c", sources("x.jpg"))
    assert (tmp_path / "a" / "b.c").is_dir()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be made"):
        Destination(tmp_path / "file" / "sub", sources("x.jpg"))


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(UnavailableError, match="no folder that may be written to"):
        check(tmp_path / "no" / "seen.png", [])


def test_what_is_read_is_not_written_over(tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"")
    os.symlink(photo, tmp_path / "link.png")
    for name in ("photo.png", "link.png"):
        with pytest.raises(UsageError, match="one of the images that are read"):
            Destination(tmp_path / name, sources(photo))


def test_names_say_what_was_made_of_what(tmp_path):
    target = Destination(tmp_path, [])
    assert target.path("folder/photo.jpg", "gradcam++", "American dipper").name == "photo-gradcam++-American_dipper.png"
    assert target.path("http://x.org/a.png?size=3", "all").name == "a.png_size_3-all.png"
    assert target.path("clip.mp4#t=12.000", "all").name == "clip.mp4_t_12.000-all.png"
    assert target.path("x" * 300 + ".png").name == "x" * 80 + ".png"


def test_names_are_unique(tmp_path):
    taken = tmp_path / "photo-gradcam.png"
    target = Destination(tmp_path, sources(taken))
    names = [target.path(f"{folder}/photo.jpg", "gradcam").name for folder in "abc"]
    assert names == ["photo-gradcam-2.png", "photo-gradcam-3.png", "photo-gradcam-4.png"]
