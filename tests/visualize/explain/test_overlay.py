"""A map as an image: strong places are coloured, others show the image."""

from __future__ import annotations

import numpy as np
import pytest

from tests.drawn import drawing as photograph
from zoo.visualize.explain import overlay as drawing
from zoo.visualize.network import display


def quarter(height=48, width=64):
    values = np.zeros((height, width), "float32")
    values[: height // 2, : width // 2] = 3.0
    return values


def test_the_image_is_grey_where_the_map_is_0_and_coloured_where_it_is_strong():
    image = photograph()
    drawn = drawing.overlay(image, quarter())
    assert (drawn[30:, 40:] == drawing.to_grey(image)[30:, 40:]).all()
    strong = drawn[:20, :28].astype(int)
    assert (strong[..., 0] > strong[..., 2] + 30).all()


def test_the_image_is_recognisable_under_the_strongest_map():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = 255
    drawn = drawing.overlay(image, np.ones((40, 40), "float32")).astype(int)
    assert (drawn[:, 20:].sum(axis=2) - drawn[:, :20].sum(axis=2) > 120).all()


def test_a_small_map_is_enlarged():
    assert drawing.overlay(photograph(), np.eye(7, dtype="float32")).shape == (48, 64, 3)


def test_a_blank_map_shows_the_grey_image():
    image = photograph()
    assert (drawing.overlay(image, np.zeros((48, 64), "float32")) == drawing.to_grey(image)).all()
    assert (drawing.heat_map(np.zeros((4, 4), "float32")) == (0, 0, 4)).all()
    assert drawing.strength(np.zeros((4, 4), "float32")).max() == 0


def test_one_large_value_does_not_darken_all_others():
    values = np.random.default_rng(0).random((100, 100)).astype("float32")
    values[50, 50] = 1e6
    assert 0.4 < drawing.strength(values).mean() < 0.6


def test_a_few_places_are_still_shown():
    values = np.zeros((100, 100), "float32")
    values[3, 4] = 2.0
    assert display.top_of_scale(values) == 2.0
    assert drawing.strength(values)[3, 4] == 1.0


def test_opacity_follows_the_map():
    layer = drawing.coloured(np.linspace(0, 1, 101, dtype="float32")[None])
    assert layer.shape == (1, 101, 4) and layer.dtype == np.uint8
    assert layer[0, 0, 3] == 0 and layer[0, -1, 3] == 191
    assert (np.diff(layer[0, :, 3].astype(int)) >= 0).all()


@pytest.mark.parametrize(("size", "side"), [((224, 224), 288), ((32, 32), 100), ((60, 30), 448), ((300, 100), 96)])
def test_the_longer_side_is_as_asked(size, side):
    drawn = display.resize_to_side(np.zeros((*size, 3), np.uint8), side)
    assert max(drawn.shape[:2]) == side
    assert drawn.shape[0] / drawn.shape[1] == pytest.approx(size[0] / size[1], rel=0.02)


def test_dots_stay_dots():
    dots = np.random.default_rng(0).integers(0, 2, (7, 7, 1), np.uint8).repeat(3, axis=2) * 255
    assert (display.resize_to_side(dots, 112) == dots.repeat(16, axis=0).repeat(16, axis=1)).all()
