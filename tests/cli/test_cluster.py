"""``zoo cluster`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.search.map.made import blobs, images, write_vectors

pytest.importorskip("sklearn")


@pytest.fixture
def index(tmp_path):
    vectors, which = blobs((12, 9, 4))
    return write_vectors(tmp_path / "f.h5", vectors, images(tmp_path / "p", which))


def test_each_image_has_its_group_and_the_number_is_explained(invoke, index):
    done = invoke("cluster", "--index", index)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["cluster"] for row in rows] == [0] * 12 + [1] * 9 + [2] * 4
    assert rows[0].keys() == {"path", "cluster", "distance"}
    assert done.stderr.startswith(b"zoo: 3 clusters have the best mean silhouette of 2 to 20: 0.")


def test_the_table_shows_the_groups_and_a_sheet_their_images(invoke, index, tmp_path):
    done = invoke("cluster", "--index", index, "-k", 3, "--format", "table", "--sheet", tmp_path / "groups.png")
    text = done.stdout.decode()
    assert f"{index}: 25 images in 3 clusters" in text
    assert "class0" in text
    assert "100.0% of the images are in the most frequent folder of their cluster" in text
    assert done.stderr == b""
    assert Image.open(tmp_path / "groups.png").height > 300


def test_json_has_all_and_a_map_takes_the_rows_for_colours(invoke, index, tmp_path):
    whole = json.loads(invoke("cluster", "--index", index, "-k", 2, "--format", "json").stdout)
    assert (whole["k"], whole["n"], len(whole["pictures"]), len(whole["clusters"])) == (2, 25, 25, 2)
    table = invoke("cluster", "--index", index, "-k", 2, "--format", "csv").stdout.decode()
    assert len(list(csv.DictReader(io.StringIO(table)))) == 25
    invoke("cluster", "--index", index, "-k", 2, "-o", tmp_path / "c.jsonl")
    done = invoke("map", "--index", index, "--method", "pca", "--labels", tmp_path / "c.jsonl")
    assert {json.loads(line)["label"] for line in done.stdout.splitlines()} == {"0", "1"}
    assert b"coloured by 2 clusters" in done.stderr


def test_what_is_no_number_is_in_no_group_and_fails(invoke, tmp_path):
    vectors, _ = blobs((12, 9, 4))
    vectors[7] = np.nan
    index = write_vectors(tmp_path / "f.h5", vectors, [f"{number}.png" for number in range(25)])
    done = invoke("cluster", "--index", index, "-k", 3)
    assert done.returncode == 1
    assert b"1 of 25 vectors contain NaN or infinite values" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["path"] == "7.png"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["-k", "0"], 2, b"-k"),
        (["-k", "many"], 2, b"many"),
        (["-k", "26"], 2, b"only 25 vectors that differ"),
        (["--sheet", "nowhere/x.png"], 4, b"nowhere/x.png cannot be written"),
        (["-o", "nowhere/x.csv"], 4, b"nowhere/x.csv cannot be written"),
    ],
)
def test_what_cannot_be_is_one_sentence(invoke, index, arguments, status, says):
    done = invoke("cluster", "--index", index, "-k", "2", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert says in done.stderr
    assert b"Traceback" not in done.stderr
