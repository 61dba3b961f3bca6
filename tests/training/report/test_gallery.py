"""Thumbnails: small, of the right kind, exact where they are tiny; and what cannot be read costs itself alone."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.drawn import drawing
from tests.reports.html.reader import Page
from tests.training.report.examples import pixels
from zoo.core.errors import ImageError
from zoo.reports.html import image_cards
from zoo.training.report import SHOWN, GalleryImage
from zoo.training.report.gallery import gallery


def image(markup):
    """The bytes of the one image inside."""
    (attributes,) = Page(markup).all("img")
    kind, _, data = attributes["src"].partition(";base64,")
    return kind, base64.b64decode(data)


def test_a_tiny_image_is_exact():
    original = pixels(28, 32)
    kind, data = image(image_cards.thumbnail(original))
    assert kind == "data:image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), original)


def test_a_large_image_is_made_smaller_in_its_proportions():
    kind, data = image(image_cards.thumbnail(drawing(600, 900)))
    img = Image.open(io.BytesIO(data))
    assert kind == "data:image/jpeg" and img.format == "JPEG"
    assert max(img.size) == image_cards.SIDE and img.width / img.height == pytest.approx(1.5, rel=0.01)
    scaled = np.asarray(Image.fromarray(drawing(600, 900)).resize(img.size), float)
    assert np.abs(np.asarray(img, float) - scaled).mean() < 3


def test_even_noise_stays_within_its_bytes():
    _, data = image(image_cards.thumbnail(pixels(256, 256)))
    assert len(data) <= image_cards.BUDGET


def test_grey_pixels_are_shown():
    kind, _ = image(image_cards.thumbnail(np.zeros((28, 28), np.uint8)))
    assert kind == "data:image/png"


def test_what_is_no_image_is_refused():
    with pytest.raises(ImageError, match="float64"):
        image_cards.thumbnail(np.zeros((28, 28, 3)))


def test_an_image_is_read_from_its_path(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(pixels()).save(path)
    _, data = image(gallery([GalleryImage(str(path), "cat", "dog", 0.9)]))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels())


def test_an_image_that_is_gone_is_told(tmp_path):
    page = Page(
        gallery([GalleryImage(str(tmp_path / "gone.png"), "cat", "dog", 0.9), GalleryImage("b", "a", "a", 1, pixels())])
    )
    assert len(page.all("img")) == 1
    assert "not shown: " in page.text and "gone.png" in page.text


def test_captions():
    page = Page(gallery([GalleryImage("test/cat/1.jpg", "cat", "dog", 0.973, pixels(), None, 0.021)]))
    assert page.text == "dog 97.3 %is cat 2.1 %1.jpg"
    assert page.all("span", "path")[0]["title"] == "test/cat/1.jpg"
    assert not page.all("span", "right")


def test_a_right_one_has_no_truth_beside_it():
    page = Page(gallery([GalleryImage("1.jpg", "dog", "dog", 0.4, pixels())]))
    assert page.text == "dog 40.0 %1.jpg"
    assert page.all("span", "right")


def test_an_overlay_stands_beside_the_image():
    page = Page(gallery([GalleryImage("1.jpg", "dog", "cat", 0.4, pixels(), pixels(seed=1))]))
    first, second = page.all("img")
    assert first["src"] != second["src"]
    assert page.all("figure", "pair")


def test_there_are_not_too_many():
    page = Page(gallery([GalleryImage("1.jpg", "a", "b", 0.4, pixels(4, 4))] * 100))
    assert len(page.all("img")) == SHOWN
