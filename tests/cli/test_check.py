"""``zoo check`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import shutil

import pytest

from tests.data.checks.test_check import photos


@pytest.fixture
def clean(tmp_path):
    photos(tmp_path / "photos" / "train", {"cat": 12, "dog": 12})
    photos(tmp_path / "photos" / "test", {"cat": 2, "dog": 2}, start=100)
    return tmp_path / "photos"


@pytest.fixture
def spoilt(clean):
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "test" / "cat" / "copy.jpg")
    data = (clean / "train" / "dog" / "1.jpg").read_bytes()
    (clean / "train" / "dog" / "1.jpg").write_bytes(data[:2000])
    (clean / "train" / "dog" / "notes.txt").write_text("x")
    return clean


def test_nothing_wrong_is_exit_0_and_no_lines(zoo, clean):
    done = zoo("check", clean)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    done = zoo("check", clean, "--format", "table", "--strict")
    assert done.returncode == 0
    assert b"nothing found that is wrong or odd" in done.stdout


def test_json_is_one_object_with_everything(zoo, spoilt):
    done = zoo("check", spoilt, "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["path"], report["n"], report["classes"]) == (str(spoilt), 29, ["cat", "dog"])
    assert report["counts"] == {"cat": {"train": 12, "test": 3}, "dog": {"train": 12, "test": 2}}
    assert (report["worst"], report["summary"]) == ("error", {"unreadable": 1, "leak": 1, "not-a-picture": 1})
    leak = report["findings"][1]
    assert leak["paths"] == [str(spoilt / "train/cat/0.jpg"), str(spoilt / "test/cat/copy.jpg")]
    assert leak["splits"] == ["train", "test"]
    assert leak.keys() == {"kind", "severity", "text", "count", "paths", "splits", "classes", "advice"}
    assert done.stderr == b"zoo: 1 of 29 could not be read\n"


def test_json_lines_are_one_a_finding(zoo, spoilt):
    done = zoo("check", spoilt)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["unreadable", "leak", "not-a-picture"]
    assert "cut short: the file ends after 2,000 bytes" in lines[0]["text"]


def test_csv_is_one_a_file(zoo, spoilt):
    shutil.rmtree(spoilt / "test" / "dog")
    rows = list(csv.DictReader(io.StringIO(zoo("check", spoilt, "--format", "csv").stdout.decode())))
    assert [(row["kind"], row["path"].removeprefix(f"{spoilt}/"), row["split"], row["class"]) for row in rows] == [
        ("unreadable", "train/dog/1.jpg", "train", "dog"),
        ("leak", "train/cat/0.jpg", "train", "cat"),
        ("leak", "test/cat/copy.jpg", "test", "cat"),
        ("missing-class", "", "test", "dog"),
        ("not-a-picture", "train/dog/notes.txt", "", ""),
    ]


def test_the_table_has_counts_findings_and_what_to_do(zoo, spoilt):
    text = zoo("check", spoilt, "--format", "table").stdout.decode()
    assert "all       24     5" in text
    assert "error: same file in several parts (1 group)" in text
    assert "  train/cat/0.jpg and test/cat/copy.jpg are the same file, in train and test." in text
    assert "  → remove them from train" in text
    assert text.endswith("\n2 errors, 1 note\n")


def test_strict_is_exit_3_for_warnings_and_errors_but_not_for_notes(zoo, clean):
    (clean / "train" / "dog" / "notes.txt").write_text("x")
    assert zoo("check", clean, "--strict").returncode == 0
    shutil.copy(clean / "train" / "cat" / "0.jpg", clean / "train" / "dog" / "copy.jpg")
    assert zoo("check", clean).returncode == 0
    done = zoo("check", clean, "--strict", "-o", clean.parent / "report.json")
    assert done.returncode == 3
    assert b"has 1 warning, 1 note" in done.stderr
    assert json.loads((clean.parent / "report.json").read_text())["worst"] == "warning"


def test_only_copies_byte_for_byte(zoo, clean):
    from PIL import Image

    Image.open(clean / "train" / "cat" / "0.jpg").save(clean / "test" / "cat" / "copy.png")
    assert b"near-leak" in zoo("check", clean).stdout
    assert zoo("check", clean, "--no-near").stdout == b""


def test_a_network_tells_which_images_are_small(zoo, clean):
    done = zoo("check", clean, "-m", "mobilenetv2", "--format", "json")
    assert json.loads(done.stdout)["summary"] == {"small": 1}
    assert zoo("check", clean, "-m", "cifar10-resnet9").stdout == b""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing"], b"There is no dataset missing."),
        (["."], b"no images"),
        (["photos", "-m", "resnt50"], b"resnet50"),
        (["photos", "--format", "xml"], b"xml"),
        ([], b"DIR"),
    ],
)
def test_usage_errors_are_exit_2(zoo, tmp_path, arguments, says):
    (tmp_path / "photos").mkdir()
    done = zoo("check", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == b""


def test_what_training_refuses_is_looked_at_too(zoo, clean):
    shutil.rmtree(clean / "train" / "dog")
    done = zoo("check", clean, "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"] == {"unknown-class": 1}


def test_many_classes_are_not_all_shown(zoo, tmp_path):
    photos(tmp_path / "many", {f"class{number:02}": 1 + (number == 7) for number in range(40)})
    text = zoo("check", tmp_path / "many", "--no-near", "--format", "table").stdout.decode()
    assert "… 30 between them" in text
    assert text.splitlines()[15].split() == ["all", "41"]
    assert "  and 36 more" in text
