"""What a network sees of an image, with more pixels than it takes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.drawn import detailed
from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.images import decode as images
from zoo.images.source import Source
from zoo.visualize.network import display

SPEC = SimpleNamespace(resize=Resize(100, 100))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(detailed(300, 400)).save(path)
    return Source(str(path))


def test_it_is_the_same_part_with_more_pixels(photo):
    seen = images.load(photo, SPEC.resize)
    found = display.load_for_display(SimpleNamespace(spec=SPEC), photo, seen)
    assert found.pixels.shape == (500, 500, 3)
    small = np.asarray(Image.fromarray(found.pixels).resize((100, 100), Image.Resampling.BOX)).astype(int)
    assert np.abs(small - seen).mean() < 6
    assert found.size == (400, 300) and not found.enlarged


def test_a_network_of_few_pixels_is_shown_as_it_sees(photo):
    seen = images.load(photo, Resize(32, 32))
    found = display.load_for_display(SimpleNamespace(spec=SimpleNamespace(resize=Resize(32, 32))), photo, seen)
    assert (found.pixels == seen).all()


@pytest.mark.parametrize(("size", "enlarged"), [((99, 500), True), ((500, 99), True), ((100, 100), False)])
def test_small_images_are_known(tmp_path, size, enlarged):
    Image.new("RGB", size).save(tmp_path / "a.png")
    source = Source(str(tmp_path / "a.png"))
    assert (
        display.load_for_display(SimpleNamespace(spec=SPEC), source, images.load(source, SPEC.resize)).enlarged
        is enlarged
    )


def test_what_cannot_be_read_again_is_shown_as_it_was_seen():
    seen = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    found = display.load_for_display(SimpleNamespace(spec=SPEC), Source("gone.png"), seen)
    assert (found.pixels == seen).all() and found.size is None and not found.enlarged


def test_numbers_that_are_no_pixels_are_spread_over_the_greys():
    found = display.load_for_display(
        SimpleNamespace(spec=None), Source("gone"), np.linspace(-1, 1, 16).reshape(4, 4, 1)
    )
    assert found.pixels.shape == (4, 4, 3) and found.pixels.min() == 0 and found.pixels.max() == 255


def test_an_address_is_fetched_once(monkeypatch):
    calls = []

    def decode(source):
        calls.append(source)
        return Image.new("RGB", (7, 5))

    monkeypatch.setattr(display.images, "decode", decode)
    held = display.rereadable(Source("http://example.org/a.png", "url"))
    assert held.kind == "array" and held.path == "http://example.org/a.png" and held.pixels.shape == (5, 7, 3)
    assert len(calls) == 1


def test_an_address_that_fails_keeps_its_reason(monkeypatch):
    def decode(source):
        raise ImageError("the server cannot be reached")

    monkeypatch.setattr(display.images, "decode", decode)
    assert display.rereadable(Source("http://example.org/a.png", "url")).problem == "the server cannot be reached"


def test_files_are_left_to_be_read(photo):
    assert display.rereadable(photo) is photo
