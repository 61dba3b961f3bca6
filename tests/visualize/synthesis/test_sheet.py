"""The page of images, and how they grow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from zoo.core.errors import UnavailableError
from zoo.visualize.synthesis import sheet as pages
from zoo.visualize.synthesis.animation import LIMIT, Animation
from zoo.visualize.synthesis.maximize import Maximized
from zoo.visualize.synthesis.objectives.class_logit import ClassLogit
from zoo.visualize.synthesis.objectives.filter import Filter
from zoo.visualize.synthesis.sheet import sheet


def some(count, side=64, variants=1, kind="filter"):
    rng = np.random.default_rng(0)
    return [
        Maximized(
            target=ClassLogit(number, label="sea_lion") if kind == "class" else Filter(number // variants, "conv"),
            model="little",
            pixels=rng.integers(0, 256, (side, side, 3), dtype=np.uint8),
            activation=12.3 * number,
            noise_activation=-0.5,
            variant=number % variants,
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "variants", "columns"), [(1, 1, 1), (4, 1, 4), (64, 1, 8), (12, 4, 8), (2, 2, 2), (40, 20, 8)]
)
def test_a_page_has_the_width_of_paper(count, variants, columns):
    page = sheet(some(count, 128, variants), notes=["A note."])
    assert page.dtype == np.uint8 and page.shape[1] <= 1200 + 2 * 30
    side = 128
    assert page.shape[1] == max(360, columns * (side + 16) - 16) + 60


def test_a_image_is_shown_dot_for_dot():
    one = some(1, 200)[0]
    page = sheet([one])
    windows = np.lib.stride_tricks.sliding_window_view(page[:, :, 0], (1, 200))
    assert (windows == one.pixels[100, :, 0]).all(axis=-1).any()


def test_what_is_too_much_is_counted(monkeypatch):
    monkeypatch.setattr(pages, "LIMIT", 10)
    monkeypatch.setattr(pages, "_SIDES", ((10, 64),))
    assert sheet(some(30)).shape[0] <= sheet(some(10)).shape[0] + 40


def test_captions_say_what_and_how_active():
    lines = [f"{title}: {activations[0]}" for title, activations in map(pages._caption, some(10))]
    assert lines[0] == "filter 0: 0.00, noise -0.50"
    assert lines[1] == "filter 1: 12.3, noise -0.5"
    assert lines[9] == "filter 9: 111, noise -0"
    (one,) = some(1, kind="class")
    assert pages._caption(one) == ("sea lion", ["logit 0.00, noise -0.50"])


def test_an_animation_shows_all_as_they_grow(tmp_path):
    animation = Animation(5)
    for number in range(5):
        animation.add(np.stack([np.full((40, 40, 3), 10 * number + 40 * frame, np.uint8) for frame in range(4)]))
    animation.write(tmp_path / "grow.gif")
    with Image.open(tmp_path / "grow.gif") as found:
        assert (found.n_frames, found.size) == (4, (124, 82))
        found.seek(3)
        last = np.array(found.convert("RGB"))
    assert last[10, 10] == pytest.approx(120, abs=4) and last[60, 60] == pytest.approx(160, abs=4)


def test_an_animation_of_very_many_shows_the_first(tmp_path):
    animation = Animation(LIMIT + 10)
    for _ in range(LIMIT + 10):
        animation.add(np.zeros((2, 300, 300, 3), np.uint8))
    animation.write(tmp_path / "grow.gif")
    with Image.open(tmp_path / "grow.gif") as found:
        assert max(found.size) <= 1024


def test_what_cannot_be_written_is_a_sentence(tmp_path):
    animation = Animation(1)
    animation.add(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(UnavailableError, match=r"The animation .* cannot be written"):
        animation.write(tmp_path / "none" / "grow.gif")
