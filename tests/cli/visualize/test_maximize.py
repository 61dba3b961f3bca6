"""``zoo visualize maximize`` as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from tests.cli.visualize.conftest import read
from tests.conftest import ROOT

QUICK = ("--size", 32, "--steps", 3)


def test_filters_on_one_sheet(visualize, little, tmp_path):
    sheet = tmp_path / "filters.png"
    done = visualize("maximize", "-m", little, "--layer", "conv2", "--filter", "1,4-6", *QUICK, "-o", sheet)
    assert done.status == 0, done.stderr
    assert [row["filter"] for row in done.rows] == [1, 4, 5, 6]
    assert all(row["layer"] == "conv2" and row["output"] == str(sheet) for row in done.rows)
    assert {"model", "layer", "filter", "activation", "noise_activation", "ratio", "output"} <= done.rows[0].keys()
    assert "4 images of 32×32 in one batch, 3 steps" in done.stderr
    assert read(sheet).shape[1] > 360


def test_all_filters_in_a_folder(visualize, little, tmp_path):
    folder = tmp_path / "made"
    done = visualize("maximize", "-m", little, "--layer", "conv1", "--all", *QUICK, "-o", folder)
    assert done.status == 0 and len(done.rows) == 8
    names = [row["output"] for row in done.rows]
    assert len(set(names)) == 8 and names[3] == str(folder / "little-conv1-filter_3.png")
    assert read(names[0]).shape == (32, 32, 3) and (folder / "sheet.png").is_file()
    assert len(list(folder.iterdir())) == 9


def test_classes_and_neurons_are_called_what_they_are(visualize, little, tmp_path):
    done = visualize(
        *("maximize", "-m", little, "--class", "2", "--diversity", 2, *QUICK, "-o", tmp_path / "a.png"),
        *("--gif", tmp_path / "grows.gif"),
    )
    assert done.status == 0, done.stderr
    assert [(row["class"], row["index"], row["layer"], row["variant"]) for row in done.rows] == [
        ("2", 2, None, 0),
        ("2", 2, None, 1),
    ]
    assert "filter" not in done.rows[0]
    with Image.open(tmp_path / "grows.gif") as found:
        assert found.n_frames == 3
    done = visualize(
        *("maximize", "-m", little, "--layer", "conv2", "--neuron", "3@2,5", "--neuron", "0@0,0", *QUICK),
        *("-o", tmp_path / "b.png", "--format", "table"),
    )
    assert done.status == 0 and "3@2,5" in done.stdout and "neuron" in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--layer", "conv1"], 2, "none was given"),
        (["--layer", "conv1", "--filter", "1", "--class", "2"], 2, "filter and class were given"),
        (["--layer", "conv1", "--filter", "1", "--all"], 2, "leave out --filter, or --all"),
        (["--filter", "1"], 2, "A filter belongs to a layer"),
        (["--layer", "conv1", "--class", "2"], 2, "A class belongs to no layer"),
        (["--layer", "conv1", "--filter", "8"], 2, "conv1 of little has filters 0 to 7. Received: 8"),
        (["--layer", "head", "--filter", "1"], 2, "has no filters; --neuron takes one of its 3 units"),
        (["--layer", "conv1", "--neuron", "1"], 2, "CHANNEL@ROW,COLUMN"),
        (["--class", "fox"], 2, "Received: fox"),
        (["--class", "1", "--gif", "a.mp4"], 2, "name a .gif file"),
        (["--class", "1", "--gif", "/none/a.gif"], 4, "no folder that may be written to"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, tmp_path, arguments, status, sentence):
    done = visualize("maximize", "-m", little, *arguments, *QUICK, "-o", tmp_path / "a.png")
    assert done.status == status
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_an_option_that_was_removed_says_what_to_do(visualize, little, tmp_path):
    done = visualize("maximize", "-m", little, "--class", "1", "--plain", "-o", tmp_path / "a.png")
    assert done.status == 2 and "--plain, which showed noise, was removed; leave it out" in done.stderr
    assert "--plain" not in visualize("maximize", "--help").stdout


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_half_written(little, tmp_path):
    arguments = ("--class", "1", "--size", "64", "--steps", "1000000", "--gif", "a.gif", "-o", "a.png")
    started = subprocess.Popen(
        [sys.executable, "-m", "zoo", "visualize", "maximize", "-m", str(little), *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    for line in started.stderr:
        if "1000000 steps" in line:
            break
    time.sleep(2)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=30)
    assert started.returncode == 130 and "interrupted" in said and "Traceback" not in said
    assert {path.name for path in tmp_path.iterdir()} <= {"zoo-cache", "keras-home"}
