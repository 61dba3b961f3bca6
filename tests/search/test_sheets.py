"""Sheets show what belongs together, and what cannot be read as an empty place."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zoo.core.errors import UnavailableError
from zoo.reports.plots.contact_sheet import SIDE
from zoo.search import sheets
from zoo.search.duplicate_files import Copy


@pytest.fixture
def images(tmp_path):
    """Five of one colour each, and their paths."""
    colours = [(200, 40, 40), (40, 160, 60), (40, 80, 200), (210, 180, 30), (120, 60, 150)]
    paths = [str(tmp_path / f"{number}.png") for number in range(5)]
    for path, colour in zip(paths, colours, strict=True):
        Image.new("RGB", (400, 300), colour).save(path)
    return dict(zip(paths, colours, strict=True))


def drawn(blocks, path, **how):
    sheets.draw(blocks, path, **how)
    return np.asarray(Image.open(path))


def area(page, colour):
    """How many pixels of a page have a colour."""
    return int((page == np.array(colour, np.uint8)).all(axis=2).sum())


def test_a_query_and_its_matches_once_each(images, tmp_path):
    query, *others = images
    block = sheets.of_matches(query, [(path, 0.5) for path in others[:3]])
    page = drawn([block], tmp_path / "sheet.png")
    sizes = [area(page, colour) for colour in images.values()]
    assert sizes == [SIDE * SIDE * 3 // 4] * 4 + [0]


def test_narrow_blocks_stand_side_by_side_and_then_below(images, tmp_path):
    one, two, *_ = images
    block = sheets.of_copies(1, Copy(one, 400, 300, 99), [Copy(two, 400, 300, 98, 0.97)])
    pages = [drawn(count * [block], tmp_path / "sheet.png") for count in (1, 2, 3, 9)]
    heights, widths = zip(*(page.shape[:2] for page in pages), strict=True)
    assert heights[0] == heights[1] == heights[2] < heights[3]
    assert widths[1] == 2 * widths[0]
    assert max(widths) <= sheets.WIDTH
    assert area(pages[3], images[one]) == 9 * area(pages[0], images[one])


def test_what_cannot_be_read_is_an_empty_place(images, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    paths = (str(tmp_path / "broken.jpg"), str(tmp_path / "gone.jpg"), "https://localhost:1/a.jpg")
    page = drawn([sheets.Block("title", paths, ("a", "b", "c"))], tmp_path / "sheet.png")
    assert area(page, (240, 240, 240)) > 2.9 * SIDE * SIDE


def test_more_than_there_is_room_for_is_counted(images, tmp_path):
    paths = tuple(images)
    block = sheets.Block("title", paths, paths)
    page = drawn([block, block, block], tmp_path / "sheet.png", most=7)
    assert area(page, images[paths[0]]) == area(drawn([block], tmp_path / "one.png"), images[paths[0]])
    page = drawn([block], tmp_path / "sheet.png", most=3)
    assert [area(page, colour) > 0 for colour in images.values()] == [True, True, True, False, False]


def test_nothing_found_is_a_page_too(tmp_path):
    assert drawn([], tmp_path / "sheet.png").size


def test_where_nothing_can_be_written(images, tmp_path):
    with pytest.raises(UnavailableError, match="cannot be written"):
        sheets.draw([], tmp_path / "none" / "sheet.png")
