"""The folder of an evaluation: every file holds what it should, and none is left over from an earlier one."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.engines.coloured import classifier, paint
from tests.evaluation.test_result import IMAGES
from zoo.core.errors import UnavailableError, UsageError
from zoo.evaluation import evaluate as evaluating
from zoo.evaluation import files


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_files_are_written_and_agree(tmp_path):
    paint(tmp_path / "photos", IMAGES)
    (tmp_path / "photos/dog/broken.jpg").touch()
    found = evaluating.evaluate(classifier(), tmp_path / "photos")
    folder = tmp_path / "deep/result"
    files.write(found, folder, found.summary())
    assert {file.name for file in folder.iterdir()} == {
        *("metrics.json", "predictions.csv", "per_class.csv", "confusion.csv"),
        *("confusion.png", "reliability.png", "mistakes.png"),
    }
    assert json.loads((folder / "metrics.json").read_text()) == found.summary()
    rows = table(folder / "predictions.csv")
    assert len(rows) == 9 and [row["status"] for row in rows].count("unreadable") == 1
    right = sum(row["truth"] == row["predicted"] for row in rows if row["status"] == "ok")
    assert right / 8 == found.top1
    assert all((row["rank"] == "1") == (row["truth"] == row["predicted"]) for row in rows if row["status"] == "ok")
    assert table(folder / "confusion.csv")[1] == {"truth": "dog", "cat": "1", "dog": "3", "ship": "0"}
    assert table(folder / "per_class.csv")[2]["recall"] == "1.0"
    for name in ("confusion", "reliability", "mistakes"):
        with Image.open(folder / f"{name}.png") as image:
            assert np.asarray(image).std() > 1
    # Without mistakes there is no sheet of them.
    for wrong in ("cat/2.png", "dog/2.png"):
        (tmp_path / "photos" / wrong).unlink()
    found = evaluating.evaluate(classifier(), tmp_path / "photos")
    files.write(found, folder, found.summary())
    assert not (folder / "mistakes.png").exists() and len(table(folder / "predictions.csv")) == 7


def test_nothing_could_be_read(tmp_path):
    (tmp_path / "photos/cat").mkdir(parents=True)
    (tmp_path / "photos/cat/a.jpg").touch()
    found = evaluating.evaluate(classifier(), tmp_path / "photos")
    files.write(found, tmp_path / "result", found.summary())
    (row,) = table(tmp_path / "result/predictions.csv")
    assert row["status"] == "unreadable" and row["error"]


def test_a_folder_that_cannot_be_one(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        files.check(tmp_path / "file")
    paint(tmp_path / "photos", {"cat": [("cat", 0.9)]})
    found = evaluating.evaluate(classifier(), tmp_path / "photos")
    with pytest.raises(UnavailableError, match="cannot be created"):
        files.write(found, tmp_path / "file" / "in", found.summary())


def test_the_name_of_a_dataset_in_titles():
    assert files.dataset_name("/a/photos/") == "photos"
    assert files.dataset_name("/a/run-1/split.csv") == "run-1/split.csv"
