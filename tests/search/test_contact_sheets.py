"""Sheets show what belongs together, and what cannot be read as an empty place."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.search.map.made import blobs, write_vectors
from tests.search.map.made import images as class_images
from zoo.core.errors import UnavailableError
from zoo.reports.plots.image_grid import SIDE
from zoo.search import contact_sheets
from zoo.search.clusters import find_clusters
from zoo.search.near_duplicates import Group
from zoo.search.near_duplicates.image_files import ImageFile


@pytest.fixture
def images(tmp_path):
    """Five of one colour each, and their paths."""
    colours = [(200, 40, 40), (40, 160, 60), (40, 80, 200), (210, 180, 30), (120, 60, 150)]
    paths = [str(tmp_path / f"{number}.png") for number in range(5)]
    for path, colour in zip(paths, colours, strict=True):
        Image.new("RGB", (400, 300), colour).save(path)
    return dict(zip(paths, colours, strict=True))


def drawn(blocks, path, **how):
    contact_sheets.draw_blocks(blocks, path, **how)
    return np.asarray(Image.open(path))


def area(page, colour):
    """How many pixels of a page have a colour."""
    return int((page == np.array(colour, np.uint8)).all(axis=2).sum())


def test_a_query_and_its_matches_once_each(images, tmp_path):
    query, *others = images
    block = contact_sheets.match_block(query, [(path, 0.5) for path in others[:3]])
    page = drawn([block], tmp_path / "sheet.png")
    sizes = [area(page, colour) for colour in images.values()]
    assert sizes == [SIDE * SIDE * 3 // 4] * 4 + [0]


def test_narrow_blocks_stand_side_by_side_and_then_below(images, tmp_path):
    one, two, *_ = images
    block = contact_sheets.duplicate_block(
        1, Group(ImageFile(one, 400, 300, 99), (ImageFile(two, 400, 300, 98, 0.97),), "the most pixels")
    )
    pages = [drawn(count * [block], tmp_path / "sheet.png") for count in (1, 2, 3, 9)]
    heights, widths = zip(*(page.shape[:2] for page in pages), strict=True)
    assert heights[0] == heights[1] == heights[2] < heights[3]
    assert widths[1] == 2 * widths[0]
    assert max(widths) <= contact_sheets.WIDTH
    assert area(pages[3], images[one]) == 9 * area(pages[0], images[one])


def test_what_cannot_be_read_is_an_empty_place(images, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    paths = (str(tmp_path / "broken.jpg"), str(tmp_path / "gone.jpg"), "https://localhost:1/a.jpg")
    page = drawn([contact_sheets.Block("title", paths, ("a", "b", "c"))], tmp_path / "sheet.png")
    assert area(page, (240, 240, 240)) > 2.9 * SIDE * SIDE


def test_more_than_there_is_room_for_is_counted(images, tmp_path):
    paths = tuple(images)
    block = contact_sheets.Block("title", paths, paths)
    page = drawn([block, block, block], tmp_path / "sheet.png", limit=7)
    assert area(page, images[paths[0]]) == area(drawn([block], tmp_path / "one.png"), images[paths[0]])
    page = drawn([block], tmp_path / "sheet.png", limit=3)
    assert [area(page, colour) > 0 for colour in images.values()] == [True, True, True, False, False]


def test_nothing_found_is_a_page_too(tmp_path):
    assert drawn([], tmp_path / "sheet.png").size


def test_where_nothing_can_be_written(images, tmp_path):
    with pytest.raises(UnavailableError, match="cannot be written"):
        contact_sheets.draw_blocks([], tmp_path / "none" / "sheet.png")


@pytest.fixture
def clusters(tmp_path):
    pytest.importorskip("sklearn")
    vectors, which = blobs((12, 9, 4))
    paths = class_images(tmp_path / "p", which)
    return find_clusters(write_vectors(tmp_path / "f.h5", vectors, paths), 3)


def cluster_page(found, path):
    contact_sheets.draw_clusters(found, path)
    return np.asarray(Image.open(path))


def reds(page):
    """The colour of each image on the page, by its first channel."""
    return {int(value) for value in np.unique(page[..., 0][(page[..., 2] == 90) & (page[..., 1] < 30)])}


def test_each_cluster_has_a_line_of_its_images(clusters, tmp_path):
    page = cluster_page(clusters, tmp_path / "sheet.png")
    third = page.shape[0] // 3
    assert [reds(page[at * third : (at + 1) * third]) for at in range(3)] == [{0}, {40}, {80}]


def test_unreadable_images_of_a_cluster_are_left_out(clusters, tmp_path):
    for path in clusters.paths[:11]:
        os.unlink(path)
    assert reds(cluster_page(clusters, tmp_path / "sheet.png")) == {0, 40, 80}
    os.unlink(clusters.paths[11])
    assert reds(cluster_page(clusters, tmp_path / "sheet.png")) == {40, 80}
