"""The sheet of typical images: a line for each group, aligned, without the images that are gone."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.search.map.made import blobs, images, write_vectors
from zoo.search import cluster_sheet, map

pytest.importorskip("sklearn")


@pytest.fixture
def found(tmp_path):
    vectors, which = blobs((12, 9, 4))
    paths = images(tmp_path / "p", which)
    return map.cluster(write_vectors(tmp_path / "f.h5", vectors, paths), 3)


def greens(page):
    """The colour of each image on the page, by its first channel."""
    return {int(value) for value in np.unique(page[..., 0][(page[..., 2] == 90) & (page[..., 1] < 30)])}


def test_each_group_has_a_line_of_its_images(found):
    page = cluster_sheet.sheet_image(found)
    third = page.shape[0] // 3
    assert [greens(page[at * third : (at + 1) * third]) for at in range(3)] == [{0}, {40}, {80}]


def test_images_that_are_gone_are_left_out(found):
    for path in found.paths[:11]:
        os.unlink(path)
    whole = cluster_sheet.sheet_image(found)
    assert greens(whole) == {0, 40, 80}
    os.unlink(found.paths[11])
    assert greens(cluster_sheet.sheet_image(found)) == {40, 80}


def test_it_is_a_png(found, tmp_path):
    cluster_sheet.sheet(found, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").format == "PNG"
