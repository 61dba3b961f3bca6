"""``zoo search`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.search.files import write

EXAMPLES = sorted(str(path) for path in (ROOT / "examples").glob("*.jpg"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A cache in which the network is compiled, and an index of the examples."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def index(made, zoo, monkeypatch):
    """The index, with that cache in the place of an empty one."""
    monkeypatch.setenv("ZOO_CACHE", str(made / "cache"))
    if not (made / "f.h5").exists():
        done = zoo("features", *EXAMPLES, "-m", "cifar10-resnet9", "-o", made / "f.h5", "-q")
        assert done.returncode == 0, done.stderr
    return made / "f.h5"


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_json_is_the_contract(zoo, index):
    done = zoo("search", *EXAMPLES, "--index", index, "-k", 2, "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["query"] for row in found] == EXAMPLES
    for row in found:
        assert row["status"] == "ok"
        assert [match.keys() for match in row["matches"]] == [{"path", "score"}] * 2
        assert row["matches"][0] == {"path": row["query"], "score": 1.0}
        assert row["matches"][0]["score"] > row["matches"][1]["score"]


@pytest.mark.slow
def test_a_query_that_cannot_be_read_is_a_row(zoo, index, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    done = zoo("search", "-", "--index", index, "-k", 1, stdin=f"broken.jpg\n{EXAMPLES[1]}\ngone.jpg\n".encode())
    assert done.returncode == 1
    first, second, third = rows(done)
    assert (first["status"], first["matches"]) == ("unreadable", [])
    assert first["error"]
    assert second["matches"][0]["path"] == EXAMPLES[1]
    assert third["error"] == "no such file or folder"
    assert b"2 of 3" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_sheet_and_a_table(zoo, index, tmp_path):
    done = zoo("search", EXAMPLES[0], "--index", index, "--exclude-self", "--format", "table", "--sheet", "s.png")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == EXAMPLES[0]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]
    assert Image.open(tmp_path / "s.png").width > 300


@pytest.mark.slow
def test_a_network_that_changed_since_is_refused(zoo, index, tmp_path):
    import h5py

    shutil.copy(index, tmp_path / "f.h5")
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file.attrs["network"] = "another"
    done = zoo("search", EXAMPLES[0], "--index", "f.h5")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"zoo features" in done.stderr


@pytest.fixture
def plane(tmp_path):
    """Vectors in a plane, of no network."""
    angles = np.radians([0, 10, 20, 90, 180])
    return write(tmp_path / "f.npy", np.stack([np.cos(angles), np.sin(angles)], axis=1), ["a", "b", "c", "d", "e"])


def test_by_path_in_every_format(invoke, plane):
    def asked(*more):
        done = invoke("search", "a", "x", "--index", plane, "--by-path", "-k", 2, *more)
        assert done.returncode == 1, done.stderr
        return done.stdout.decode()

    cosine = round(float(np.cos(np.radians(10))), 6)
    matches = [{"path": "a", "score": 1.0}, {"path": "b", "score": cosine}]
    first, second = map(json.loads, asked().splitlines())
    assert first == {"query": "a", "status": "ok", "matches": matches}
    assert second["query"] == "x"
    table = list(csv.DictReader(io.StringIO(asked("--format", "csv"))))
    assert [list(row.values())[:4] for row in table] == [
        ["a", "1", "a", "1.0"],
        ["a", "2", "b", str(cosine)],
        ["x", "", "", ""],
    ]
    assert "not among" in table[2]["error"]
    assert asked("--format", "table").splitlines()[:3] == ["a", "   1     1.0000  a", f"   2     {cosine:.4f}  b"]


def test_what_is_asked_for(invoke, plane, tmp_path):
    def found(*more):
        done = invoke("search", "a", "--index", plane, "--by-path", *more)
        assert done.returncode == 0, done.stderr
        return [match["path"] for match in rows(done)[0]["matches"]]

    assert found() == ["a", "b", "c", "d", "e"]
    assert found("--exclude-self", "-k", 2) == ["b", "c"]
    assert found("--min-score", 0.95) == ["a", "b"]
    assert found("--min-score", 2) == []
    assert found("--metric", "euclidean", "--min-score", -0.2) == ["a", "b"]
    done = invoke("search", "a", "--index", plane, "--by-path", "--min-score", 2, "--format", "csv")
    assert done.stdout.splitlines()[1:] == [b"a,,,,"]
    done = invoke("search", "a", "--index", plane, "--by-path", "-o", "answers.json")
    assert done.stdout == b""
    assert json.loads((tmp_path / "answers.json").read_text())[0]["query"] == "a"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a"], b"--index"),
        (["--index", "f.npy"], b"QUERY"),
        (["a", "--index", "none.h5"], b"none.h5"),
        (["a", "--index", "f.npy"], b"--by-path"),
        (["a", "--index", "f.npy", "--by-path", "-k", "0"], b"-k"),
        (["a", "--index", "f.npy", "--by-path", "--metric", "manhattan"], b"manhattan"),
        (["a", "--index", "f.npy", "--by-path", "--layer", "conv9"], b"conv9"),
        (["a", "--index", "f.npy", "--by-path", "--approximate", "--metric", "dot"], b"--approximate"),
    ],
)
def test_usage_errors_are_exit_2(invoke, plane, arguments, says):
    done = invoke("search", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert says in done.stderr
    assert b"Traceback" not in done.stderr


def test_names_that_are_not_utf8(zoo, tmp_path):
    name = os.fsdecode(b"bad\xff.png")
    write(tmp_path / "f.h5", np.eye(2), [name, "b"])
    for format in ("json", "jsonl", "csv", "table"):
        done = zoo("search", name, "--index", "f.h5", "--by-path", "--format", format)
        assert done.returncode == 0, done.stderr
    (row,) = rows(zoo("search", name, "--index", "f.h5", "--by-path"))
    assert row["matches"][0]["path"] == name


def test_a_sheet_that_cannot_be_written_is_exit_4(invoke, plane):
    done = invoke("search", "a", "--index", plane, "--by-path", "--sheet", "none/sheet.png")
    assert done.returncode == 4
    assert b"none/sheet.png" in done.stderr
