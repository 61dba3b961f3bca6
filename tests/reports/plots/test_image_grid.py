"""Images with text: dot for dot, in lines, nothing cut off."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.reports.plots.canvas import BLUE
from zoo.reports.plots.image_grid import Block, Panel, Scale, page

SCALE = Scale(np.linspace([0, 0, 0], [255, 0, 0], 256).astype(np.uint8), "0", "much", "half")


def solid(height, width, colour=(10, 200, 30)):
    return np.full((height, width, 3), colour, np.uint8)


def count(pixels, colour):
    return int((pixels == colour).all(axis=2).sum())


def clear_edges(pixels, width=8):
    edges = [pixels[:width], pixels[-width:], pixels[:, :width], pixels[:, -width:]]
    return all((edge == 255).all() for edge in edges)


@pytest.mark.parametrize(("shapes", "columns"), [([(40, 60)], 1), ([(40, 60), (80, 20), (5, 5)], 2), ([(9, 9)] * 7, 3)])
def test_images_are_there_dot_for_dot(shapes, columns):
    drawn = page([Block([Panel(solid(*shape)) for shape in shapes], columns)])
    assert drawn.dtype == np.uint8
    assert count(drawn, (10, 200, 30)) == sum(height * width for height, width in shapes)
    assert clear_edges(drawn)


@pytest.mark.parametrize(
    "text", ["tabby", "a very long name of a class that goes on and on " * 5, "$x_1$ Äpfel 梨", "a\nb"]
)
def test_texts_of_any_length_stay_on_the_page(text):
    panels = [Panel(solid(96, 96), text, [text, text], scale=SCALE, note=text) for _ in range(3)]
    drawn = page([Block(panels, 3, text), Block(panels, 2)], scales=[SCALE, SCALE], notes=[text])
    assert clear_edges(drawn)


def test_texts_make_the_page_higher_and_never_cover_a_image():
    bare = page([Block([Panel(solid(50, 200))], 1)])
    told = page([Block([Panel(solid(50, 200), "title", ["one", "two"])], 1, "heading")])
    assert told.shape[0] > bare.shape[0] + 60
    assert count(told, (10, 200, 30)) == 50 * 200


def test_the_marked_one_has_a_blue_frame():
    blue = tuple(int(BLUE[start : start + 2], 16) for start in (1, 3, 5))
    plain, marked = (page([Block([Panel(solid(50, 50), marked=mark)], 1)]) for mark in (False, True))
    assert count(plain, blue) == 0
    assert count(marked, blue) >= 4 * 4 * 50


def test_a_note_stands_on_the_image():
    white = solid(120, 200, (250, 250, 250))
    said = page([Block([Panel(white, note="blank: there is nothing here that speaks for this class")], 1)])
    covered = 120 * 200 - count(said, (250, 250, 250))
    assert 300 < covered < 5000


def test_scales_show_all_their_colours():
    drawn = page([Block([Panel(solid(20, 20))], 1)], scales=[SCALE])
    reds = drawn[(drawn[..., 1] == 0) & (drawn[..., 2] == 0)][:, 0]
    assert reds.min() == 0 and reds.max() == 255 and len(np.unique(reds)) > 150
