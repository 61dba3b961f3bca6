"""``zoo map`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.reports.html.reader import Page
from tests.search.map.made import blobs, images, write_vectors


@pytest.fixture
def index(tmp_path):
    vectors, which = blobs((12, 9, 4))
    return write_vectors(tmp_path / "f.h5", vectors, images(tmp_path / "p", which), model="resnet50")


def test_the_page_is_written_and_standard_output_is_empty(invoke, index, tmp_path):
    done = invoke("map", "--index", index, "--method", "pca", "-o", tmp_path / "map.html")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"25 vectors, placed by principal components (as requested), coloured by 3 folders" in done.stderr
    assert Page((tmp_path / "map.html").read_text()).all("canvas")


def test_rows_without_a_page_and_beside_one(invoke, index, tmp_path):
    done = invoke("map", "--index", index, "--method", "pca", "-q")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 25
    assert rows[0].keys() == {"path", "x", "y", "label"}
    assert done.stderr == b""
    both = invoke("map", "--index", index, "--method", "pca", "-o", tmp_path / "m.html", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(both.stdout.decode())))
    assert [float(row["x"]) for row in table] == [row["x"] for row in rows]
    assert (tmp_path / "m.html").exists()
    invoke("map", "--index", index, "--method", "pca", "-o", tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text()) == rows


@pytest.mark.slow
def test_auto_takes_umap_and_says_so_and_umap_does_not_bring_tensorflow(index):
    pytest.importorskip("umap")
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print({'tensorflow', 'umap.parametric_umap'} & {*sys.modules}, file=sys.stderr))\n"
        f"sys.argv = ['zoo', 'map', '--index', {str(index)!r}]\n"
        "from zoo.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=900)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 25
    said, modules = done.stderr.splitlines()
    assert "placed by UMAP (umap-learn is installed)" in said
    assert modules == "set()"


def test_a_table_gives_the_colours(invoke, index, tmp_path):
    (tmp_path / "t.csv").write_text("path,label\np/class0/0.png,mine\n")
    done = invoke("map", "--index", index, "--method", "pca", "--labels", tmp_path / "t.csv")
    assert json.loads(done.stdout.splitlines()[0])["label"] == "mine"
    assert b"coloured by 1 labels" in done.stderr


def test_what_is_gone_is_said_and_what_is_no_number_fails(invoke, tmp_path):
    vectors, which = blobs((12, 9, 4))
    vectors[7] = np.inf
    paths = images(tmp_path / "p", which)
    index = write_vectors(tmp_path / "f.h5", vectors, paths)
    os.unlink(paths[3])
    done = invoke("map", "--index", index, "--method", "pca", "-o", tmp_path / "map.html", "--format", "jsonl")
    assert done.returncode == 1
    assert b"1 of 24 images cannot be read any more" in done.stderr
    assert b"1 of 25 vectors contain NaN or infinite values" in done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows if "error" in row] == [paths[7]]
    assert len(rows) == 25


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, b"--index"),
        (["--index", "missing.h5"], 2, b"missing.h5"),
        (["--index", "f.h5", "--method", "mds"], 2, b"mds"),
        (["--index", "f.h5", "--points", "0"], 2, b"--points"),
        (["--index", "f.h5", "--neighbours", "1"], 2, b"--neighbours"),
        (["--index", "f.h5", "--layer", "nope"], 2, b"nope"),
        (["--index", "f.h5", "--labels", "nope.csv"], 2, b"nope.csv cannot be read"),
        (["--index", "f.h5", "-o", "nowhere/map.html"], 4, b"nowhere"),
        (["--index", "empty.h5"], 2, b"holds no vectors"),
    ],
)
def test_what_cannot_be_is_one_sentence(invoke, index, tmp_path, arguments, status, says):
    write_vectors(tmp_path / "empty.h5", np.ones((0, 3), np.float32), [])
    done = invoke("map", *arguments)
    assert (done.returncode, done.stdout) == (status, b"")
    assert says in done.stderr
    assert b"Traceback" not in done.stderr
