"""The page on images: everything of each is there, escaped, and small."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.drawn import detailed
from zoo.catalog.labels import Prediction
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.faithfulness import Faithfulness
from zoo.visualize.explain.page import guide, page, rasters
from zoo.visualize.explain.page.page import Page
from zoo.visualize.explain.page.section import Neighbours

EVIL = '<script>alert("x")</script>'


def explanation(method="gradcam", index=3, blank=None, scores=(0.1, 0.6), label="dog"):
    values = np.zeros((48, 64), "float32") if blank else np.random.default_rng(index).random((48, 64), "float32")
    return Explanation(
        method=method,
        model="net",
        layer="last" if method == "gradcam" else None,
        index=index,
        label=label,
        score=0.75,
        map=values,
        values=values,
        blank=blank,
        faithfulness=None if blank or scores is None else Faithfulness(*scores),
    )


def record(path="photos/a.jpg", *explanations):
    found = explanations or (explanation(), explanation("saliency", scores=(0.3, 0.2)))
    return Explained(
        path,
        detailed(48, 64),
        tuple(found),
        predictions=(Prediction("dog", 3, 0.75), Prediction(EVIL, 4, 0.2)),
    )


class Tags(HTMLParser):
    """All elements with their attributes, and whether they are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def html(*records, near=None):
    made = Page("net")
    for one in records:
        made.add(one, None if one.pixels is None else np.repeat(np.repeat(one.pixels, 8, 0), 8, 1), near)
    return made.html()


def test_each_map_can_be_chosen_and_the_best_is():
    tags = Tags(html(record()))
    radios = [one for one in tags.all("input") if one["type"] == "radio"]
    assert [one["data-method"] for one in radios] == ["gradcam", "saliency"]
    assert ["checked" in one for one in radios] == [True, False]
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    uses = [one["href"] for one in tags.all("use")]
    assert uses[0] == "#p1-m0" and all(use[1:] in ids for use in uses)
    assert [one["class"] for one in tags.all("label") if "tile" in one["class"]] == ["tile best", "tile"]


def test_photographs_are_in_the_page_once():
    text = html(record(), record("b.jpg"))
    tags = Tags(text)
    photos = [one for one in tags.all("image") if one["href"].startswith("data:image/jpeg")]
    assert len(photos) == 2 and len([one for one in tags.all("image")]) == 2 + 4
    sizes = {Image.open(io.BytesIO(base64.b64decode(one["href"].partition(",")[2]))).size for one in photos}
    assert sizes == {(448, 336)}


def test_scores_are_said_and_what_they_mean():
    text = html(record())
    assert "deletion 0.100, insertion 0.600" in text
    assert "50.0 points higher with what it shows" in text
    assert "Not faithful" in text, "of the map whose insertion is below its deletion"
    assert "<b>Insertion</b>" in text and "arXiv:1610.02391" in text


def test_a_page_without_scores_does_not_explain_them():
    text = html(record("a.jpg", explanation(scores=None)), record("b.jpg", explanation(scores=None)))
    assert "nsertion" not in text.partition("<style>")[0] + text.partition("</style>")[2].partition("<script>")[0]
    assert "the best map" not in text.partition("<script>")[0]


def test_a_blank_map_says_why():
    text = html(record("a.jpg", explanation(), explanation("saliency", blank="all is negative")))
    assert "Blank: all is negative." in text
    assert ">blank</span>" in text
    assert len([one for one in Tags(text).all("image")]) == 2


def test_nothing_from_outside_is_markup():
    text = html(
        record(f"{EVIL}/{EVIL}.jpg", explanation(label=EVIL)),
        Explained(f"{EVIL}.jpg", None, error=EVIL),
        near=Neighbours([(f"gone/{EVIL}.jpg", 0.5)], EVIL, EVIL),
    )
    assert EVIL not in text and "&lt;script&gt;" in text
    assert len(Tags(text).all("script")) == 1


def test_a_browser_loads_nothing_and_runs_only_the_pages_own_script():
    tags = Tags(html(record(), record("b.jpg")))
    policy = next(one["content"] for one in tags.all("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert not any("style" in attributes or "onclick" in attributes for _, attributes in tags.found)
    for _, attributes in tags.found:
        for key in ("src", "href"):
            assert attributes.get(key, "#").startswith(("#", "data:"))


def test_what_could_not_be_read_has_its_reason():
    text = html(record(), Explained("broken.jpg", None, error="not an image"))
    assert "Unreadable files" in text and "broken.jpg" in text and "not an image" in text
    assert "None of the images could be read" in html(Explained("broken.jpg", None, error="not an image"))


def test_neighbours_are_shown_and_one_that_is_gone_costs_its_thumbnail(tmp_path):
    Image.fromarray(detailed(80, 80)).save(tmp_path / "near.png")
    matches = [(str(tmp_path / "near.png"), 0.9), (str(tmp_path / "gone.png"), 0.8)]
    text = html(record(), near=Neighbours(matches, "f.h5", "net"))
    assert "in f.h5 by net" in text and "0.900" in text
    assert len(Tags(text).all("img")) == 1 and "not shown: no such file" in text
    assert "no other images in the index" in html(record(), near=Neighbours([], "f.h5", None))
    assert "no index" in html(record(), near=Neighbours([], "f.h5", None, "no index"))


def test_one_image_needs_no_controls_for_all():
    assert "Show in all images" not in html(record()).partition("<script>")[0]
    assert "Show in all images" in html(record(), record("b.jpg")).partition("<script>")[0]


def test_a_full_page_counts_what_is_left_out(monkeypatch):
    monkeypatch.setattr(page, "LIMIT", 2)
    made = Page("net")
    for name in "abcde":
        made.add(record(f"{name}.jpg"), detailed(48, 64))
    assert made.left_out == 3
    assert "3 more images are not shown" in made.html()


def test_maps_and_photographs_are_small():
    noise = np.random.default_rng(0).random((600, 800), "float32")
    assert len(rasters.photograph((noise[..., None] * [255, 200, 100]).astype("uint8"))) < 1.5 * 4 / 3 * rasters.BUDGET
    found = rasters.heat(noise)
    assert len(found) < 120_000
    image = Image.open(io.BytesIO(base64.b64decode(found.partition(",")[2])))
    assert image.mode == "RGBA" and max(image.size) == rasters.MAP


def test_tiny_images_stay_exact():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), "uint8")
    address = rasters.photograph(image)
    assert address.startswith("data:image/png")
    assert (np.array(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))) == image).all()


def test_a_map_is_transparent_where_it_is_0_in_every_format(monkeypatch):
    values = np.zeros((100, 100), "float32")
    values[40:60, 40:60] = 1
    for webp in (True, False):
        monkeypatch.setattr(rasters.features, "check", lambda _, webp=webp: webp)
        address = rasters.heat(values)
        assert address.startswith("data:image/webp" if webp else "data:image/png")
        alpha = np.array(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA"))[..., 3]
        assert alpha[:20].max() < 8 and alpha[45:55, 45:55].min() > 170


@pytest.mark.parametrize("scores", [(0.2, 0.2), (0.5, 0.1)])
def test_a_map_that_does_no_better_than_its_opposite_is_not_to_be_believed(scores):
    assert guide.scores(explanation(scores=scores))[1].startswith("Not faithful")
    assert guide.scores(replace(explanation(), faithfulness=None)) == []


def test_it_is_written_whole(tmp_path):
    made = Page("net")
    made.add(record(), detailed(48, 64))
    target = made.write(tmp_path / "page.html")
    text = target.read_text(encoding="utf-8")
    assert text == made.html() and re.search(r"</html>\s*$", text)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
