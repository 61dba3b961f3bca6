"""``zoo visualize style`` as a person runs it."""

from __future__ import annotations

import pytest

from tests.cli.visualize.conftest import read


def test_a_image_is_painted_and_shown_on_the_way(visualize, little, photos, tmp_path):
    out = tmp_path / "painted.png"
    images = photos / "0.png", photos / "1.png"
    done = visualize("style", *images, "-m", little, "--size", 48, "--steps", 5, "--every", 2, "-o", out)
    assert done.status == 0, done.stderr
    (row,) = done.rows
    assert row["content"] == str(images[0]) and row["style"] == str(images[1])
    assert (row["width"], row["height"], row["optimizer"]) == (48, 36, "lbfgs") and row["loss"] > 0
    assert sorted(path.name for path in tmp_path.glob("painted*")) == [
        *("painted-0002.png", "painted-0004.png", "painted.png"),
    ]
    assert read(out).shape == (36, 48, 3) and (read(out) != read(tmp_path / "painted-0002.png")).any()
    assert f"style of {', '.join(row['style_layers'])}, content of {row['content_layer']}" in done.stderr


def test_an_optimizer_is_lbfgs_or_a_sentence(visualize, little, photos, tmp_path):
    arguments = (photos / "0.png", photos / "1.png", "-m", little, "--size", 48, "--steps", 1, "-o", tmp_path / "a.png")
    assert visualize("style", *arguments, "--optimizer", "lbfgs").status == 0
    refused = visualize("style", *arguments, "--optimizer", "adam")
    assert refused.status == 2 and "--optimizer has only lbfgs" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{photos}/0.png", "{photos}/1.png", "-o", "{photos}/1.png"], 2, "is one of the images that are read"),
        (["{photos}/0.png", "{photos}/none.png", "-o", "{photos}/a.png"], 1, "no such file"),
        (["{photos}/0.png", "{photos}/1.png", "-o", "{photos}/a.png", "--content-layer", "head"], 2, "no rows and"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, photos, arguments, status, sentence):
    done = visualize("style", *(one.format(photos=photos) for one in arguments), "-m", little, "--steps", 1)
    assert done.status == status
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not (photos / "a.png").exists()
