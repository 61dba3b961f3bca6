"""``zoo visualize filters`` as a person runs it."""

from __future__ import annotations

import pytest

from tests.cli.visualize.conftest import read


@pytest.mark.parametrize(
    ("arguments", "row"),
    [
        ([], {"layer": "conv1", "height": 3, "width": 3, "channels": 3, "filters": 8}),
        (
            ["--layer", "conv2", "--normalize", "layer", "--limit", "5"],
            {"layer": "conv2", "channels": 8, "filters": 12},
        ),
    ],
)
def test_kernels_are_drawn_and_said(visualize, little, tmp_path, arguments, row):
    done = visualize("filters", "-m", little, *arguments, "-o", tmp_path / "filters.png")
    assert done.status == 0, done.stderr
    (found,) = done.rows
    assert found["model"] == "little" and found["kind"] == "Conv2D" and found["dead"] == 0
    assert found.items() >= row.items()
    assert sorted(found["strongest"])[0] >= 0 and len(found["strongest"]) == min(10, found["filters"])
    assert "filters of 3×3 weights" in done.stderr
    assert read(found["output"]).shape[1] > 300


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--layer", "pool", "-o", "{out}/a.png"], 2, "pool of little has no kernels; the nearest that have are conv1"),
        (["--layer", "conv", "-o", "{out}/a.png"], 2, "Did you mean 'conv"),
        (["-o", "{out}/a.jpg"], 2, "name a .png file"),
        (["-o", "{out}/no/a.png"], 4, "no folder that may be written to"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, tmp_path, arguments, status, sentence):
    done = visualize("filters", "-m", little, *(argument.format(out=tmp_path) for argument in arguments))
    assert done.status == status
    assert sentence in done.stderr and done.stderr.count("\n") == 1
