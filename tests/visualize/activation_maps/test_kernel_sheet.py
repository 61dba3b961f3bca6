"""Kernels on a page: in colours or as slices, the strongest first, with a scale."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reports.plots.test_image_grid import clear_edges, count
from zoo.visualize.activation_maps import kernel_sheet as sheets
from zoo.visualize.activation_maps.kernels import Kernels


def kernels(*shape, rgb=False, seed=0):
    weights = np.random.default_rng(seed).normal(size=shape).astype("float32")
    return Kernels("little", "conv", "Conv2D", weights, rgb)


@pytest.mark.parametrize(
    ("shape", "rgb"),
    [
        ((3, 3, 3, 32), True),
        ((11, 11, 3, 96), True),
        ((3, 3, 1, 300), False),
        ((5, 5, 1, 6), False),
        ((3, 3, 200, 64), False),
        ((1, 1, 2000, 8), False),
        ((1, 7, 5, 1), False),
        ((200, 200, 2, 1), False),
    ],
)
def test_layers_of_any_shape_fit_a_page(shape, rgb):
    drawn = sheets.kernel_sheet(kernels(*shape, rgb=rgb))
    assert clear_edges(drawn)
    assert drawn.shape[1] <= 1300 and drawn.shape[0] <= 3000


def test_a_first_layer_is_in_colours():
    weights = np.zeros((1, 1, 3, 1), "float32")
    weights[..., 0, 0] = 0.5
    drawn = sheets.kernel_sheet(Kernels("little", "conv", "Conv2D", weights, True))
    assert count(drawn, (255, 128, 128)) == 96 * 96


def test_slices_are_blue_and_orange_and_white_for_nothing():
    weights = np.zeros((1, 1, 4, 1), "float32")
    weights[0, 0, :, 0] = [-2, 2, 1, 0]
    drawn = sheets._slices(weights[..., 0] / 2)
    blue, orange = (0x00, 0x30, 0x4D), (0x5C, 0x28, 0x00)
    side = drawn.shape[0] // 2
    assert count(drawn, blue) == count(drawn, orange) == side * side
    assert count(drawn, (255, 255, 255)) == side * side


def test_strongest_filters_come_first_and_others_are_left_out():
    found = kernels(3, 3, 1, 10)
    found.weights[..., 7] *= 100
    assert sheets.strongest(found.weights, 3)[0] == 7
    assert sheets.kernel_sheet(found, limit=3).shape[1] < sheets.kernel_sheet(found).shape[1]


def test_the_layers_scale_makes_weak_filters_pale():
    weights = np.ones((3, 3, 3, 2), "float32")
    weights[..., 1] = 0.1
    found = Kernels("little", "conv", "Conv2D", weights, True)
    own, shared = (count(sheets.kernel_sheet(found, normalize=how), (140, 140, 140)) for how in ("filter", "layer"))
    assert own < 99 < 96 * 96 <= shared


def test_filters_that_do_nothing_stay_blank():
    found = kernels(3, 3, 3, 4, rgb=True)
    found.weights[..., 2] *= 1e-20
    assert sheets.dead_filters(found) == 1
    assert count(sheets.kernel_sheet(found), (128, 128, 128)) >= 96 * 96


def test_weights_that_have_diverged_are_drawn():
    found = kernels(3, 3, 3, 4, rgb=True)
    found.weights[0] = np.nan
    found.weights[1, 1, 1] = np.inf
    assert clear_edges(sheets.kernel_sheet(found))


@pytest.mark.parametrize(
    ("shape", "rgb", "text"),
    [
        ((3, 3, 3, 32), True, "Conv2D: 32 filters of 3×3 weights for red, green and blue"),
        ((1, 7, 1, 1), False, "Conv2D: 1 filter of 1×7 weights for one channel"),
        ((1, 1, 1280, 4), False, "Conv2D: 4 filters of 1×1 weights for each of 1,280 channels"),
    ],
)
def test_what_they_are_is_said(shape, rgb, text):
    assert sheets.described(kernels(*shape, rgb=rgb)) == text
