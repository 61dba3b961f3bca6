"""A table of paths and labels is read in the same way for training, evaluation and a check."""

from __future__ import annotations

import os

import pytest

from tests.data.trees import class_folders
from zoo.core.errors import UsageError
from zoo.data import dataset


@pytest.fixture
def photos(tmp_path):
    """Twelve images without folders of classes: photos/x/0.png …"""
    class_folders(tmp_path / "photos", {"x": 12})
    return tmp_path / "photos"


def write(path, header, rows, *, start="", end="\n"):
    path.write_bytes((start + end.join([header, *rows]) + end).encode())
    return path


def contents(path):
    """(file name, class) of every image as each of the three readers has them."""
    found = dataset.read_for_evaluation(path, "all")
    labelled = {(os.path.basename(s.path), found.classes[n]) for s, n in zip(found.sources, found.labels, strict=True)}
    for data in (dataset.read_for_training(path), dataset.read_for_check(path)):
        rows = {(os.path.basename(row["path"]), row["label"]) for row in data.rows()}
        assert (rows, data.classes) == (labelled, found.classes)
        for split in data.splits.values():
            assert all(os.path.exists(source.path) for source in split.sources)
    return labelled


EXPECTED = {(f"{number}.png", "ab"[number % 2]) for number in range(12)}


@pytest.mark.parametrize(
    ("name", "header", "row", "start", "end"),
    [
        ("t.csv", "path,label", "x/{0}.png,{1}", "", "\n"),
        ("t.csv", "label,comment,path", "{1},nice,x/{0}.png", "", "\n"),
        ("t.csv", "path,label", "x/{0}.png,{1}", "\ufeff", "\r\n"),
        ("T.CSV", "file,name", "x/{0}.png,{1}", "", "\n"),
        ("t.tsv", "label\tpath", "{1}\tx/{0}.png", "", "\n"),
        ("t.csv", "wordnet_id,file", '{1},"x/{0}.png"', "", "\n\n"),
    ],
)
def test_a_table_without_parts(photos, monkeypatch, name, header, row, start, end):
    rows = [row.format(number, "ab"[number % 2]) for number in range(12)]
    table = write(photos / name, header, rows, start=start, end=end)
    assert contents(table) == EXPECTED
    # Paths are relative to the table, not to the working directory.
    monkeypatch.chdir(photos)
    assert contents(name) == EXPECTED
    monkeypatch.chdir("/")
    assert contents(table) == EXPECTED


def test_a_table_without_parts_is_divided_as_folders_are(photos):
    table = write(photos / "t.csv", "path,label", [f"x/{number}.png,{'ab'[number % 2]}" for number in range(12)])
    data = dataset.read_for_training(table, val_split=0.2, test_split=0.2, seed=3)
    assert data.counts() == {name: {"train": 4, "val": 1, "test": 1} for name in "ab"}
    assert list(data.rows()) == list(dataset.read_for_training(table, val_split=0.2, test_split=0.2, seed=3).rows())
    assert set(dataset.read_for_training(table, val_split=0).splits) == {"train"}
    # Evaluation and check take all of it, undivided.
    found = dataset.read_for_evaluation(table)
    assert (found.part, found.parts, len(found)) == (None, (), 12)
    assert dataset.read_for_check(table).counts() == {name: {"train": 6} for name in "ab"}


def test_the_order_of_the_lines_does_not_matter(photos):
    rows = [f"x/{number}.png,{'ab'[number % 2]}" for number in range(12)]
    one = dataset.read_for_training(write(photos / "one.csv", "path,label", rows))
    other = dataset.read_for_training(write(photos / "other.csv", "path,label", rows[::-1]))
    assert sorted(map(str, one.rows())) == sorted(map(str, other.rows()))


def test_a_table_with_parts_is_taken_as_it_is(photos):
    parts = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
    rows = [f"{part},x/{number}.png,{'ab'[number % 2]}" for number, part in enumerate(parts)]
    table = write(photos / "t.csv", "split,file,name", rows)
    data = dataset.read_for_training(table)
    assert data.counts() == {name: {"train": 4, "val": 1, "test": 1} for name in "ab"}
    assert dataset.read_for_check(table).counts() == data.counts()
    found = dataset.read_for_evaluation(table)
    assert (found.part, found.parts, len(found)) == ("test", ("train", "val", "test"), 2)
    with pytest.raises(UsageError, match="not divided again"):
        dataset.read_for_training(table, test_split=0.1)


def test_a_folder_of_images_with_its_table(photos):
    rows = [f"{number}.png,{'ab'[number % 2]}" for number in range(12)]
    write(photos / "x" / "labels.csv", "path,label", rows)
    assert contents(photos / "x") == EXPECTED
    assert dataset.read_for_training(photos / "x").path == str(photos / "x")


def test_a_division_of_a_table_is_read_back_from_a_run(photos, tmp_path):
    table = write(photos / "t.csv", "path,label", [f"x/{number}.png,{'ab'[number % 2]}" for number in range(12)])
    data = dataset.read_for_training(table)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(f"dataset: {table}\n")
    data.write(tmp_path / "run" / "split.csv")
    again = dataset.read_for_training(tmp_path / "run" / "split.csv")
    assert list(again.rows()) == list(data.rows())
    assert [s.path for s in again.splits["train"].sources] == [s.path for s in data.splits["train"].sources]


def test_validation_images_from_a_folder_beside_a_table(photos, tmp_path):
    class_folders(tmp_path / "more", {"a": 2, "b": 1}, start=50)
    table = write(photos / "t.csv", "path,label", [f"x/{number}.png,{'ab'[number % 2]}" for number in range(12)])
    data = dataset.read_for_training(table, val_dir=tmp_path / "more")
    assert data.counts() == {"a": {"train": 6, "val": 2}, "b": {"train": 6, "val": 1}}
    class_folders(tmp_path / "strange", {"c": 1})
    with pytest.raises(UsageError, match="has the class 'c', which the training images do not have"):
        dataset.read_for_training(table, val_dir=tmp_path / "strange")
    # A folder of images that is called like a class is no folder of classes.
    with pytest.raises(UsageError, match="images, but no folder for each class"):
        dataset.read_for_training(table, val_dir=tmp_path / "more" / "a")


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("path,label", ["x/0.png,a", "x/1.png,a"], "only one class, 'a'"),
        ("path,label", ["x/0.png,a", "x/1.png,b"], "has one image, too few"),
        ("path,label,split", ["x/0.png,a,test", "x/1.png,b,test"], "no images to train on; it has only test"),
    ],
)
def test_what_training_refuses_evaluation_and_check_take(photos, header, rows, words):
    table = write(photos / "t.csv", header, rows)
    with pytest.raises(UsageError, match=words):
        dataset.read_for_training(table)
    assert len(dataset.read_for_evaluation(table)) == 2
    assert sum(sum(parts.values()) for parts in dataset.read_for_check(table).counts().values()) == 2
