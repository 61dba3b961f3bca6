"""What points are coloured by: folders, or a table of any of the forms that zoo writes."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.core.errors import UsageError
from zoo.search.map import labels
from zoo.search.sample import folder_name

PATHS = ["a/cat/1.jpg", "b/cat/2.jpg", "b/dog/3.jpg", "4.jpg"]


def listed(found):
    return [found.of(index) for index in range(len(found.numbers))]


def test_folders_are_those_that_images_are_in():
    found = labels.find("auto", PATHS)
    assert listed(found) == ["cat", "cat", "dog", "."]
    assert (found.names, found.kind, found.rest) == ((".", "cat", "dog"), "folder", "")


@pytest.mark.parametrize("names", [1, labels.MOST + 1])
def test_one_folder_or_too_many_are_no_labels_unless_asked_for(names):
    paths = [f"all/{number}/x.jpg" for number in range(names)] * 3
    assert labels.find("auto", paths).names == ()
    assert len(labels.find("folder", paths).names) == min(names, labels.MOST)


def test_the_largest_of_many_are_named_and_the_others_are_one():
    paths = [f"{number:02}/x.jpg" for number in range(50) for _ in range(1 + (number > 20))]
    found = labels.find("folder", paths)
    assert len(found.names) == labels.MOST
    assert set(f"{number:02}" for number in range(21, 50)) <= set(found.names)
    assert (found.numbers == labels.NONE).sum() == 10
    assert found.rest == "in other folders"


def test_none_is_no_label():
    found = labels.find("none", PATHS)
    assert (found.names, listed(found)) == ((), [None] * 4)


@pytest.mark.parametrize(
    ("path", "name"), [("a/b/c.jpg", "b"), (r"C:\x\y\z.png", "y"), ("/c.jpg", "."), ("c.jpg", "."), ("", ".")]
)
def test_the_name_of_a_folder(path, name):
    assert folder_name(path) == name


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.csv", "path,label\na/cat/1.jpg,tiger\n4.jpg,none\n", ["tiger", None, None, "none"]),
        ("t.csv", "file,index,name\n4.jpg,10,x\n", [None, None, None, "10"]),
        ("t.csv", "path,status,label1,score1\n4.jpg,ok,ship,0.4\nb/dog/3.jpg,unreadable,,\n", [None] * 3 + ["ship"]),
        ("t.jsonl", '{"path": "4.jpg", "cluster": 0}\n{"path": "a/cat/1.jpg", "cluster": -1}\n', [None] * 3 + ["0"]),
        (
            "t.jsonl",
            '{"path": "4.jpg", "predictions": [{"label": "ship"}]}\n{"path": "b/dog/3.jpg", "status": "unreadable"}\n',
            [None] * 3 + ["ship"],
        ),
        ("t.json", '[{"path": "./4.jpg", "label": "x"}]', [None] * 3 + ["x"]),
        ("t.json", '{"k": 2, "pictures": [{"path": "4.jpg", "cluster": 3}]}', [None] * 3 + ["3"]),
    ],
)
def test_tables_of_every_form(tmp_path, monkeypatch, name, text, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text)
    assert listed(labels.find(name, PATHS)) == expected


def test_paths_of_a_table_may_begin_at_its_folder(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n1.jpg,cat\n")
    found = labels.find(str(tmp_path / "labels.csv"), [str(tmp_path / "1.jpg")])
    assert (listed(found), found.kind) == (["cat"], "label")


def test_a_column_of_clusters_says_what_it_is(tmp_path):
    rows = [{"path": f"{number}.jpg", "cluster": number % 11} for number in range(22)]
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = labels.find(str(tmp_path / "c.jsonl"), [f"{tmp_path}/{number}.jpg" for number in range(22)])
    assert found.kind == "cluster"
    assert found.names == tuple(str(number) for number in range(11))


def test_names_that_are_not_utf8(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"path,label\nbad\xff.jpg,a\n")
    path = os.path.join(str(tmp_path), "bad\udcff.jpg")
    assert listed(labels.find(str(tmp_path / "t.csv"), [path])) == ["a"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("t.csv", "name,label\nx,y\n", "no column 'path' or 'file'"),
        ("t.csv", "path,size\n4.jpg,8\n", "has no labels"),
        (
            "t.csv",
            "path,label\nother.jpg,x\n",
            "names none of the images: it has paths such as o",
        ),
        ("t.csv", "", "no column"),
        ("t.jsonl", "path,label\n", "no table in CSV, JSON or JSON lines"),
        ("t.jsonl", "[1, 2]\n", "no table in CSV"),
        ("t.json", "{", "no table in CSV"),
        ("missing.csv", None, "missing.csv cannot be read: no such file"),
        ("folders", None, "folder, none, or a table"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path, monkeypatch, name, text, says):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=says):
        labels.find(name, PATHS)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=120))
def test_every_image_has_its_own_label_or_none(names):
    found = labels.most_frequent(names, "label", "with another label")
    shown = listed(found)
    assert all(label in (name, None) for label, name in zip(shown, names, strict=True))
    assert len(set(names) - {None}) > labels.MOST or shown == names
    assert bool(found.rest) == (None in shown)
    assert found.numbers.dtype == np.int64
