from __future__ import annotations

import csv
import os
import random
import shutil

import numpy as np
import pytest

from tests.data.trees import class_folders
from zoo.core.errors import UsageError
from zoo.data import dataset


def members(data, part):
    """(class, file) of the images of a part."""
    return {tuple(source.path.split(os.sep)[-2:]) for source in data.splits[part].sources}


def rows(data):
    return sorted((row["path"], row["label"], row["split"]) for row in data.rows())


def test_the_parts_and_classes_of_folders(tmp_path):
    class_folders(tmp_path / "train", {"dog": 5, "cat": 4, "10": 3})
    class_folders(tmp_path / "validation", {"cat": 2, "dog": 1, "10": 1})
    class_folders(tmp_path / "test", {"cat": 1, "dog": 2})
    data = dataset.read_for_training(tmp_path)
    assert data.classes == ("10", "cat", "dog")
    assert list(data.splits) == ["train", "val", "test"]
    assert data.counts() == {
        "10": {"train": 3, "val": 1, "test": 0},
        "cat": {"train": 4, "val": 2, "test": 1},
        "dog": {"train": 5, "val": 1, "test": 2},
    }
    assert data.splits["train"].labels.dtype == np.int64
    for split in data.splits.values():
        for source, label in zip(split.sources, split.labels, strict=True):
            assert source.path.split(os.sep)[-2] == data.classes[label]
    assert {row["path"] for row in data.rows() if row["split"] == "test"} == {
        "test/cat/0.png",
        "test/dog/0.png",
        "test/dog/1.png",
    }


def test_validation_is_taken_from_train_and_never_from_test(tmp_path):
    class_folders(tmp_path / "train", {"a": 60, "b": 50})
    class_folders(tmp_path / "test", {"a": 9, "b": 9})
    data = dataset.read_for_training(tmp_path)
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 99, "val": 11, "test": 18}
    assert all("/train/" in source.path for source in data.splits["val"].sources)
    assert not {s.path for s in data.splits["val"].sources} & {s.path for s in data.splits["train"].sources}


def test_a_small_class_gives_a_fifth(tmp_path):
    class_folders(tmp_path, {"a": 100, "b": 49})
    assert dataset.read_for_training(tmp_path).counts() == {
        "a": {"train": 80, "val": 20},
        "b": {"train": 39, "val": 10},
    }


def test_none_to_validate_with(tmp_path):
    class_folders(tmp_path, {"a": 10, "b": 1})
    assert set(dataset.read_for_training(tmp_path, val_split=0).splits) == {"train"}


def test_three_parts_of_one_folder(tmp_path):
    class_folders(tmp_path, {"a": 20, "b": 10})
    data = dataset.read_for_training(tmp_path, val_split=0.2, test_split=0.3)
    assert data.counts() == {"a": {"train": 10, "val": 4, "test": 6}, "b": {"train": 5, "val": 2, "test": 3}}
    together = [source.path for split in data.splits.values() for source in split.sources]
    assert len(together) == len(set(together)) == 30


def test_the_division_follows_from_the_names_and_the_seed_alone(tmp_path, monkeypatch):
    class_folders(tmp_path / "one", {"a": 30, "b": 20})
    shutil.copytree(tmp_path / "one", tmp_path / "elsewhere" / "two")
    first = dataset.read_for_training(tmp_path / "one")
    second = dataset.read_for_training(tmp_path / "elsewhere" / "two")
    assert rows(first) == rows(second)
    assert rows(first) != rows(dataset.read_for_training(tmp_path / "one", seed=1))
    # The same as the training part of a larger dataset, and with a system that lists files in another order.
    shutil.copytree(tmp_path / "one", tmp_path / "parts" / "train")
    assert members(dataset.read_for_training(tmp_path / "parts"), "val") == members(first, "val")
    listed = os.scandir

    class Shuffled:
        def __init__(self, path):
            self.entries = list(listed(path))
            random.Random(4).shuffle(self.entries)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

        def __iter__(self):
            return iter(self.entries)

    monkeypatch.setattr(os, "scandir", Shuffled)
    shuffled = dataset.read_for_training(tmp_path / "one")
    assert [s.path for s in shuffled.splits["train"].sources] == [s.path for s in first.splits["train"].sources]
    assert rows(shuffled) == rows(first)


def test_a_relative_path_divides_the_same(tmp_path, monkeypatch):
    class_folders(tmp_path / "set", {"a": 30, "b": 20})
    absolute = dataset.read_for_training(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    for path in ("set", "set/", "./set"):
        assert rows(dataset.read_for_training(path)) == rows(absolute)
    monkeypatch.chdir(tmp_path / "set")
    assert rows(dataset.read_for_training(".")) == rows(absolute)


def test_an_image_that_is_added_moves_few_others(tmp_path):
    class_folders(tmp_path, {"a": 200, "b": 50})
    before = members(dataset.read_for_training(tmp_path), "val")
    shutil.copy(tmp_path / "a" / "0.png", tmp_path / "a" / "new.png")
    after = members(dataset.read_for_training(tmp_path), "val")
    assert len(before ^ after) <= 2


@pytest.mark.parametrize("options", [{"val_split": 0.5}, {"val_split": 0.9}, {"val_split": 0.3, "test_split": 0.65}])
def test_something_stays_to_train_on(tmp_path, options):
    class_folders(tmp_path, {"a": 3, "b": 3})
    counts = dataset.read_for_training(tmp_path, **options).counts()
    assert all(count >= 1 for parts in counts.values() for count in parts.values())


def test_what_is_skipped_is_named(tmp_path):
    class_folders(tmp_path / "train", {"a": 3, "b": 3})
    class_folders(tmp_path / "val", {"a": 3, "b": 0})
    (tmp_path / "train" / "a" / "notes.txt").touch()
    (tmp_path / "train" / "a" / ".hidden.png").touch()
    (tmp_path / "train" / "stray.png").touch()
    (tmp_path / "train" / "README").touch()
    (tmp_path / "extra").mkdir()
    data = dataset.read_for_training(tmp_path)
    assert dict(data.skipped) == {
        str(tmp_path / "train" / "a" / "notes.txt"): "not an image, by its name",
        str(tmp_path / "train" / "stray.png"): "an image that stands in no class folder",
        str(tmp_path / "val" / "b"): "a class folder without images",
        str(tmp_path / "extra"): "a folder beside the parts, not used",
    }
    assert data.counts()["a"]["train"] == 3


def test_images_in_folders_within_a_class_and_behind_links(tmp_path):
    class_folders(tmp_path / "set", {"a": 2, "b": 2})
    class_folders(tmp_path / "other", {"deep": 3})
    deep = tmp_path / "set" / "a" / "x" / "y"
    deep.mkdir(parents=True)
    shutil.move(tmp_path / "set" / "a" / "0.png", deep)
    (tmp_path / "set" / "b" / "link").symlink_to(tmp_path / "other" / "deep")
    (tmp_path / "set" / "b" / "circle").symlink_to(tmp_path / "set" / "b")
    (tmp_path / "set" / "b" / "itself.png").symlink_to("itself.png")
    (tmp_path / "set" / "b" / "nowhere.png").symlink_to("nothing.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "set" / "b" / "pipe.png").symlink_to(tmp_path / "pipe")
    (tmp_path / "set" / "c").symlink_to(tmp_path / "other" / "deep")
    data = dataset.read_for_training(tmp_path / "set", val_split=0)
    paths = [os.path.relpath(source.path, tmp_path / "set") for source in data.splits["train"].sources]
    # A broken link is an image that cannot be read, and is reported when that is tried.
    expected = ["a/1.png", "a/x/y/0.png", "b/0.png", "b/1.png", "b/itself.png", "b/link/0.png", "b/link/1.png"]
    assert paths[:7] == expected
    assert paths[7:] == ["b/link/2.png", "b/nowhere.png", "c/0.png", "c/1.png", "c/2.png"]


def test_names_in_any_language(tmp_path):
    odd = ["with space", "comma, quote\"'", "grüße 照片", "line\nbreak", os.fsdecode(b"not utf-8 \xff")]
    class_folders(tmp_path / "set", dict.fromkeys(odd, 4))
    data = dataset.read_for_training(tmp_path / "set")
    assert set(data.classes) == set(odd)
    data.write(tmp_path / "set" / "split.csv")
    again = dataset.read_for_training(tmp_path / "set" / "split.csv")
    assert rows(again) == rows(data)


# Sentences


def sentence(*arguments, **options):
    with pytest.raises(UsageError) as caught:
        dataset.read_for_training(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_one_class_only(tmp_path):
    class_folders(tmp_path, {"a": 5})
    assert "has only one class, 'a'; a classifier needs two" in sentence(tmp_path)


def test_an_empty_class_folder(tmp_path):
    class_folders(tmp_path / "train", {"a": 5, "b": 0})
    assert sentence(tmp_path) == (
        f"The class folder {tmp_path / 'train' / 'b'} holds no images: add some, or remove it."
    )
    (tmp_path / "train" / "b" / "list.txt").touch()
    assert "holds no images (but 1 other file): add" in sentence(tmp_path)


def test_a_class_with_one_image(tmp_path):
    class_folders(tmp_path, {"a": 5, "b": 1})
    assert sentence(tmp_path) == (
        f"The class 'b' of {tmp_path} has one image, too few to give one to the validation part and keep one to "
        "train on; add images, or make no such part (--val-split 0)."
    )
    assert "the validation part and the test part" in sentence(tmp_path, test_split=0.2)


def test_a_class_that_is_not_in_train(tmp_path):
    class_folders(tmp_path / "train", {"a": 5, "b": 5})
    class_folders(tmp_path / "test", {"a": 5, "c": 5})
    assert f"{tmp_path / 'test'} has the class 'c', which" in sentence(tmp_path)


def test_no_class_folders(tmp_path):
    assert "holds no folders with images; put the images of each class" in sentence(tmp_path)
    (tmp_path / "a.png").touch()
    assert "holds images, but no folder for each class; put" in sentence(tmp_path)


def test_parts_without_train(tmp_path):
    class_folders(tmp_path / "val", {"a": 5, "b": 5})
    class_folders(tmp_path / "test", {"a": 5, "b": 5})
    assert f"{tmp_path} has no images to train on; it has only val and test." == sentence(tmp_path)


def test_two_folders_to_validate_with(tmp_path):
    for name in ("train", "val", "valid"):
        class_folders(tmp_path / name, {"a": 2, "b": 2})
    assert "holds val and valid; which" in sentence(tmp_path)


def test_an_empty_part(tmp_path):
    class_folders(tmp_path / "train", {"a": 2, "b": 2})
    class_folders(tmp_path / "val", {"a": 0})
    assert f"The part 'val' of {tmp_path} has no images" in sentence(tmp_path)


def test_a_part_that_is_there_is_not_made(tmp_path):
    for name in ("train", "val", "test"):
        class_folders(tmp_path / name, {"a": 2, "b": 2})
    assert "has a part 'val' of its own; leave out --val-split" in sentence(tmp_path, val_split=0.2)
    assert "has a part 'test' of its own; leave out --test-split" in sentence(tmp_path, test_split=0.2)
    assert set(dataset.read_for_training(tmp_path, val_split=0).splits) == {"train", "val", "test"}


@pytest.mark.parametrize("options", [{"val_split": 1}, {"val_split": -0.1}, {"test_split": 1.5}])
def test_fractions_that_make_no_sense(tmp_path, options):
    assert "is a fraction from 0 to below 1. Received: " in sentence(tmp_path, **options)
    assert "leave nothing to train on" in sentence(tmp_path, val_split=0.5, test_split=0.5)


def test_what_is_no_dataset(tmp_path):
    assert sentence(tmp_path / "missing") == f"There is no dataset {tmp_path / 'missing'}."
    (tmp_path / "a.png").touch()
    assert "A dataset is a folder or a table (.csv, .tsv). Received: " in sentence(tmp_path / "a.png")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that is forbidden")
def test_a_folder_that_is_forbidden(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "a").chmod(0)
    try:
        assert f"{tmp_path / 'a'} cannot be listed" in sentence(tmp_path)
    finally:
        (tmp_path / "a").chmod(0o755)


def test_the_table_is_one_that_any_program_reads(tmp_path):
    class_folders(tmp_path / "set", {"a": 4, "b": 4})
    data = dataset.read_for_training(tmp_path / "set")
    data.write(tmp_path / "split.csv")
    with (tmp_path / "split.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert table == list(data.rows())
    assert set(table[0]) == {"path", "label", "split"}
    assert table[0]["path"].startswith("a/")
