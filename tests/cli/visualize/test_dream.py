"""``zoo visualize dream`` as a person runs it."""

from __future__ import annotations

import pytest

from tests.cli.visualize.conftest import read

QUICK = ("--steps", 1, "--octaves", 2)


def test_a_image_is_dreamed_of_at_its_own_size(visualize, little, photos, tmp_path):
    out = tmp_path / "dream.png"
    done = visualize("dream", photos / "0.png", "-m", little, "--layer", "conv2", *QUICK, "-o", out)
    assert done.status == 0, done.stderr
    (row,) = done.rows
    assert row.items() >= {"status": "ok", "model": "little", "layers": ["conv2"], "width": 80, "height": 60}.items()
    assert read(out).shape == (60, 80, 3) and row["output"] == str(out)
    assert "conv2 of little at 57×43, 80×60" in done.stderr


def test_into_a_folder_with_the_layer_said(visualize, little, photos, tmp_path):
    done = visualize("dream", photos / "0.png", "-m", little, *QUICK, "-o", tmp_path / "dreams")
    assert done.rows[0]["output"] == str(tmp_path / "dreams" / "0-dream-little.png")
    assert done.rows[0]["layers"] == ["conv2"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{photos}/0.png", "-o", "{photos}/0.png"], 2, "is one of the images that are read"),
        (["{photos}", "-o", "{photos}/a.png"], 2, "is more than one image"),
        (["{photos}/none.png", "-o", "{photos}/a.png"], 1, "no such file"),
        (["{photos}/0.png", "-o", "{photos}/a.png", "--layer", "conv9"], 2, "Did you mean"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, photos, arguments, status, sentence):
    done = visualize("dream", *(one.format(photos=photos) for one in arguments), "-m", little, *QUICK)
    assert done.status == status
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not (photos / "a.png").exists()
