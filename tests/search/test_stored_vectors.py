"""Vectors are found by the paths of their images, however these are written, unless the file is another now."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.search.files import opened
from zoo.core.errors import ImageError
from zoo.images.source import Source
from zoo.search import stored_vectors
from zoo.search.stored_vectors import StoredVectors


def looked_up(file, *paths):
    return [
        str(found) if isinstance(found, ImageError) else found.tolist()
        for _, found in StoredVectors(file).stream(Source(str(path)) for path in paths)
    ]


@pytest.mark.parametrize("together", [1, 256])
def test_by_any_way_of_writing_a_path(tmp_path, monkeypatch, together):
    monkeypatch.setattr(stored_vectors, "_BATCH", together)
    monkeypatch.chdir(tmp_path)
    names = ["a.jpg", "photos/b.jpg", str(tmp_path / "c.jpg"), "https://example.org//d.jpg", "a.jpg"]
    with opened(tmp_path / "f.h5", np.arange(10).reshape(5, 2), names) as file:
        assert looked_up(file, "./a.jpg", "photos/../photos/b.jpg", "c.jpg") == [[0, 1], [2, 3], [4, 5]]
        found = looked_up(file, "https://example.org//d.jpg", "d.jpg", tmp_path / "a.jpg")
    assert (found[0], found[2]) == ([6, 7], [0, 1])
    assert "not among the images of" in found[1]


def test_a_file_that_has_changed_has_no_vector(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"12345")
    stamp = (5, os.stat(path).st_mtime_ns)
    with opened(tmp_path / "f.h5", np.ones((2, 2)), [path, tmp_path / "gone.jpg"], stamps=[stamp, stamp]) as file:
        assert looked_up(file, path, tmp_path / "gone.jpg") == [[1, 1], [1, 1]]
        path.write_bytes(b"123456")
        assert "changed" in looked_up(file, path)[0]


def test_vectors_that_are_not_finite(tmp_path):
    with opened(tmp_path / "f.npy", [[1, np.nan]], ["a"]) as file:
        assert looked_up(file, "a") == ["its vector is not finite"]


def test_no_images(tmp_path):
    with opened(tmp_path / "f.npy", np.empty((0, 2))) as file:
        assert "not among" in looked_up(file, "a")[0]
