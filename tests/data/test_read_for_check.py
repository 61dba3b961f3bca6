from __future__ import annotations

import os

import pytest

from tests.data.trees import class_folders, idx_folder
from zoo.core.errors import UsageError
from zoo.data import dataset


def test_what_training_takes_is_read_the_same_but_not_divided(tmp_path):
    class_folders(tmp_path / "train", {"a": 5, "b": 4})
    class_folders(tmp_path / "valid", {"a": 2, "b": 1})
    class_folders(tmp_path / "test", {"b": 2})
    ours, theirs = dataset.read_for_check(tmp_path), dataset.read_for_training(tmp_path, val_split=0)
    assert (ours.classes, ours.counts(), ours.root) == (theirs.classes, theirs.counts(), theirs.root)
    assert list(ours.rows()) == list(theirs.rows())


def test_class_folders_alone_stay_one_part(tmp_path):
    class_folders(tmp_path, {"a": 60, "b": 60})
    assert dataset.read_for_check(tmp_path).counts() == {"a": {"train": 60}, "b": {"train": 60}}


def test_classes_that_training_refuses(tmp_path):
    class_folders(tmp_path / "train", {"a": 5, "empty": 0})
    class_folders(tmp_path / "val", {"a": 1, "other": 2})
    with pytest.raises(UsageError):
        dataset.read_for_training(tmp_path)
    data = dataset.read_for_check(tmp_path)
    assert data.counts() == {
        "a": {"train": 5, "val": 1},
        "empty": {"train": 0, "val": 0},
        "other": {"train": 0, "val": 2},
    }
    for split in data.splits.values():
        for source, label in zip(split.sources, split.labels, strict=True):
            assert source.path.split(os.sep)[-2] == data.classes[label]


def test_one_class_and_no_class_folders_at_all(tmp_path):
    class_folders(tmp_path / "one", {"cats": 3})
    assert dataset.read_for_check(tmp_path / "one").counts() == {"cats": {"train": 3}}
    assert dataset.read_for_check(tmp_path / "one" / "cats").counts() == {"cats": {"train": 3}}


def test_nothing_to_train_on_and_an_empty_part(tmp_path):
    class_folders(tmp_path / "test", {"a": 2, "b": 1})
    (tmp_path / "val").mkdir()
    assert dataset.read_for_check(tmp_path).counts() == {"a": {"val": 0, "test": 2}, "b": {"val": 0, "test": 1}}


def test_what_is_left_aside(tmp_path):
    class_folders(tmp_path / "train", {"a": 2, "b": 2})
    (tmp_path / "old").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "train" / "a" / "notes.txt").write_text("x")
    assert [(os.path.relpath(path, tmp_path), why) for path, why in dataset.read_for_check(tmp_path).skipped] == [
        (os.path.join("train", "a", "notes.txt"), "not an image, by its name"),
        ("old", "a folder beside the parts, not used"),
    ]


def test_idx_files_and_tables(tmp_path):
    idx_folder(tmp_path / "digits")
    assert (
        dataset.read_for_check(tmp_path / "digits").counts()
        == dataset.read_for_training(tmp_path / "digits", val_split=0).counts()
    )
    class_folders(tmp_path / "folders", {"a": 10, "b": 10})
    data = dataset.read_for_training(tmp_path / "folders")
    data.write(tmp_path / "folders" / "split.csv")
    again = dataset.read_for_check(tmp_path / "folders" / "split.csv")
    assert sorted(map(str, again.rows())) == sorted(map(str, data.rows()))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("x")])
def test_what_is_no_dataset(tmp_path, make):
    make(tmp_path / "thing")
    with pytest.raises(UsageError, match="thing"):
        dataset.read_for_check(tmp_path / "thing")


def test_a_link_that_leads_to_itself_is_no_folder(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "loop").symlink_to("loop")
    assert dataset.read_for_check(tmp_path).classes == ("a", "b")
