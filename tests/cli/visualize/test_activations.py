"""``zoo visualize activations`` as a person runs it."""

from __future__ import annotations

import os

import pytest

from tests.cli.visualize.conftest import read


def test_an_overview_of_the_network(visualize, little, photos, tmp_path):
    done = visualize("activations", photos / "0.png", "-m", little, "-o", tmp_path / "network.png")
    assert done.status == 0, done.stderr
    assert [row["layer"] for row in done.rows] == ["conv1", "conv2"]
    assert (done.rows[1]["rows"], done.rows[1]["columns"], done.rows[1]["channels"]) == (13, 13, 12)
    assert len(done.rows[1]["strongest"]) == 10
    assert "2 layers of little" in done.stderr
    assert read(tmp_path / "network.png").shape[0] > 400


def test_layers_of_several_images(visualize, little, photos, tmp_path):
    (photos / "broken.jpg").write_bytes(b"no image")
    arguments = ("--layer", "pool", "--layer", "conv1", "--normalize", "layer", "--limit", "4", "-o", tmp_path / "maps")
    done = visualize("activations", photos, "-m", little, *arguments)
    assert done.status == 1
    assert [row.get("layer") for row in done.rows] == ["pool", "conv1", "pool", "conv1", None]
    assert done.rows[-1]["status"] == "unreadable" and "1 of 3 could not be read" in done.stderr
    assert sorted(os.listdir(tmp_path / "maps")) == [
        "0-activations-pool-conv1.png",
        "1-activations-pool-conv1.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--layer", "head", "-o", "{out}/a.png"], "no rows and columns to draw"),
        (["--layer", "cnv1", "-o", "{out}/a.png"], "Did you mean 'conv1"),
        (["-o", "{photo}"], "one of the images that are read"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, photos, tmp_path, arguments, sentence):
    places = {"out": tmp_path, "photo": photos / "0.png"}
    done = visualize(
        "activations", photos / "0.png", "-m", little, *(argument.format(**places) for argument in arguments)
    )
    assert done.status == 2
    assert sentence in done.stderr and done.stderr.count("\n") == 1
