"""``zoo dupes`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from tests.search.files import write


@pytest.fixture
def index(tmp_path):
    """Two copies of one image, the second one larger; two of another one, and a third one."""
    (tmp_path / "p").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
    names = [f"p/{letter}.jpg" for letter in "abcde"]
    for name, size in zip(names, (30, 60, 40, 40, 50), strict=True):
        Image.fromarray(noise[:size, :size]).save(tmp_path / name, quality=70 if name == "p/d.jpg" else 90)
    angles = np.radians([0, 5, 90, 91, 45])
    status = [os.stat(tmp_path / name) for name in names]
    stamps = [(one.st_size, one.st_mtime_ns) for one in status]
    return write(tmp_path / "f.h5", np.stack([np.cos(angles), np.sin(angles)], axis=1), names, stamps=stamps)


def similarity(degrees):
    return round(float(np.cos(np.radians(degrees))), 6)


def test_a_row_a_group(invoke, index, tmp_path):
    done = invoke("dupes", "--index", index)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["keep"], first["remove"], first["reason"]) == ("p/b.jpg", ["p/a.jpg"], "the most pixels")
    assert first["bytes"] == os.path.getsize(tmp_path / "p/a.jpg")
    assert first["pictures"] == [
        {"path": "p/b.jpg", "width": 60, "height": 60, "bytes": os.path.getsize(tmp_path / "p/b.jpg"),
         "similarity": 1.0},
        {"path": "p/a.jpg", "width": 30, "height": 30, "bytes": os.path.getsize(tmp_path / "p/a.jpg"),
         "similarity": similarity(5)},
    ]  # fmt: skip
    assert (second["keep"], second["remove"]) == ("p/c.jpg", ["p/d.jpg"])
    assert b"5 images, 2 groups of near-duplicates; 2 could be removed" in done.stderr
    assert sorted(os.listdir(tmp_path / "p")) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]


def test_other_formats_and_a_sheet(invoke, index, tmp_path):
    done = invoke("dupes", "--index", index, "--format", "csv", "--sheet", "sheet.png")
    table = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [(row["group"], row["keep"], row["path"]) for row in table] == [
        ("1", "yes", "p/b.jpg"),
        ("1", "no", "p/a.jpg"),
        ("2", "yes", "p/c.jpg"),
        ("2", "no", "p/d.jpg"),
    ]
    assert [row["similarity"] for row in table] == ["1.0", str(similarity(5)), "1.0", str(similarity(1))]
    assert Image.open(tmp_path / "sheet.png").width > 300
    text = invoke("dupes", "--index", index, "--format", "table").stdout.decode()
    assert text.startswith("group 1: the most pixels\n  keep    60×60")
    assert text.count("p/") == 4


def test_a_threshold(invoke, index):
    done = invoke("dupes", "--index", index, "--threshold", 0.999, "--format", "json")
    assert [group["keep"] for group in json.loads(done.stdout)] == ["p/c.jpg"]
    done = invoke("dupes", "--index", index, "--threshold", 1, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert b"no near-duplicates" in done.stderr


def test_what_changed_is_left_out_and_said(invoke, index, tmp_path):
    Image.new("RGB", (70, 70)).save(tmp_path / "p/a.jpg")
    os.remove(tmp_path / "p/d.jpg")
    done = invoke("dupes", "--index", index, "--format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (1, [])
    assert b"p/a.jpg is left out: changed" in done.stderr
    assert b"p/d.jpg is left out: no such file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], b"--index"),
        (["--index", "none.h5"], b"none.h5"),
        (["--index", "f.h5", "--threshold", "0"], b"--threshold"),
        (["--index", "f.h5", "--threshold", "1.5"], b"--threshold"),
        (["--index", "f.h5", "--layer", "conv9"], b"conv9"),
    ],
)
def test_usage_errors_are_exit_2(invoke, index, arguments, says):
    done = invoke("dupes", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_threshold_in_the_help_is_that_of_the_library():
    from zoo.cli.dupes import command
    from zoo.search.near_duplicates import THRESHOLD

    assert next(option.default for option in command.params if option.name == "threshold") == THRESHOLD
