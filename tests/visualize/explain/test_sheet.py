"""Explanations on a page: the image first, every map, the best one marked, and why one is blank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.reports.plots.test_image_grid import clear_edges, count
from zoo.catalog.labels import Prediction
from zoo.reports.plots.canvas import BLUE
from zoo.visualize.explain import sheet as sheets
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.faithfulness import Faithfulness

#: A colour that neither maps nor text have.
GREEN = (0, 200, 0)
MARK = tuple(int(BLUE[start : start + 2], 16) for start in (1, 3, 5))


@pytest.fixture
def image():
    return np.full((64, 64, 3), GREEN, np.uint8)


def explanation(method="gradcam", index=1, scores=(0.1, 0.6), blank=None):
    values = np.zeros((64, 64), "float32") if blank else np.eye(64, dtype="float32")
    return Explanation(
        method=method,
        model="little",
        layer="last" if method != "saliency" else None,
        index=index,
        label=f"class_{index}",
        score=0.7,
        map=values,
        values=values,
        blank=blank,
        faithfulness=Faithfulness(*scores) if scores else None,
    )


def record(*explanations):
    predictions = (Prediction("class_1", 1, 0.7), Prediction("class_0", 0, 0.3))
    return Explained("folder/photo.jpg", np.zeros((64, 64, 3), np.uint8), explanations, predictions=predictions)


def test_one_map_stands_beside_the_image(image):
    page = sheets.figure(record(explanation()), image)
    assert count(page, GREEN) == 448 * 448
    assert page.shape[1] > 2 * 448 and clear_edges(page)


def test_classes_stand_side_by_side(image):
    one = sheets.figure(record(explanation()), image)
    three = sheets.figure(record(*(explanation(index=index) for index in range(3))), image)
    assert count(three, GREEN) == 288 * 288
    assert three.shape[1] > one.shape[1] and three.shape[0] < one.shape[0]


def test_the_best_of_several_methods_is_marked(image):
    maps = [explanation("gradcam", scores=(0.3, 0.6)), explanation("saliency", scores=(0.1, 0.5))]
    assert sheets.best(maps) is maps[1]
    marked = sheets.figure(record(*maps), image)
    bare = sheets.figure(record(*(replace(one, faithfulness=None) for one in maps)), image)
    assert count(marked, MARK) > 4 * 4 * 288 > count(bare, MARK) == 0


def test_there_is_no_best_of_one():
    assert sheets.best([explanation()]) is None


def test_each_class_has_a_block_of_all_methods(image):
    names = ("gradcam", "hirescam", "saliency")
    page = sheets.figure(record(*(explanation(name, index) for index in (0, 1) for name in names)), image)
    assert count(page, GREEN) == 2 * 288 * 288


def test_a_blank_map_says_why_on_the_image(image):
    shown = sheets.figure(record(explanation(scores=None)), image)
    blank = sheets.figure(record(explanation(scores=None, blank="nothing here speaks for this class")), image)
    # The right half: pale, with dark letters on it.
    place = blank[60:440, 520:900]
    assert np.median(place) > 150
    assert (place < 100).all(axis=2).sum() > 200
    assert clear_edges(blank) and shown.shape == blank.shape


def test_heat_maps_have_scales_and_no_image_below(image):
    page = sheets.figure(record(explanation()), image, heat_maps=True)
    assert count(page, GREEN) == 448 * 448
    assert count(page, (0, 0, 4)) > 100_000


def test_the_scale_of_a_map_ends_where_its_colours_do():
    one = explanation()
    assert sheets._scale(one).high == "1"
    spike = replace(one, map=np.where(np.arange(64 * 64).reshape(64, 64) == 9, 50.0, 0.25).astype("float32"))
    assert sheets._scale(spike).high == "≥ 0.25"


def test_a_contact_sheet_has_a_line_for_each_image(image):
    sheet = sheets.ContactSheet()
    heights = []
    for _ in range(3):
        sheet.add(record(explanation()), image)
        heights.append(sheet.image().shape[0])
    assert count(sheet.image(), GREEN) == 3 * 216 * 216
    assert heights[1] - heights[0] == heights[2] - heights[1] > 216


def test_a_contact_sheet_ends_somewhere(image, monkeypatch):
    monkeypatch.setattr(sheets, "LIMIT", 2)
    sheet = sheets.ContactSheet()
    for _ in range(5):
        sheet.add(record(explanation()), image)
    assert count(sheet.image(), GREEN) == 2 * 216 * 216


def test_a_contact_sheet_of_nothing_says_so():
    assert clear_edges(sheets.ContactSheet().image())


@pytest.mark.parametrize(
    ("path", "name"), [("a/b.jpg", "b.jpg"), ("C:\\x\\y.png", "y.png"), ("array 0", "array 0"), ("a/b/", "b")]
)
def test_images_are_called_by_their_files(path, name):
    assert sheets.file_name(path) == name


@pytest.mark.parametrize(("score", "text"), [(0.9312, "93.1 %"), (1.0, "100.0 %"), (1e-5, "< 0.1 %"), (0.0, "0.0 %")])
def test_probabilities_for_people(score, text):
    assert sheets._percent(score) == text
