"""Images to evaluate on: whatever has classes is taken as it is, and nothing is divided."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.trees import class_folders, idx_folder
from zoo.core.errors import UsageError
from zoo.data import dataset


def names(found):
    return [found.classes[label] for label in found.labels]


def test_a_folder_of_classes_is_taken_whole_even_with_one_image(tmp_path):
    class_folders(tmp_path, {"dog": 1, "cat": 3})
    (tmp_path / "bird").mkdir()
    (tmp_path / "cat" / "notes.txt").touch()
    found = dataset.read_for_evaluation(tmp_path)
    assert (found.part, found.parts, len(found)) == (None, (), 4)
    assert found.classes == ("bird", "cat", "dog")
    assert names(found) == ["cat", "cat", "cat", "dog"]
    assert [source.path for source in found.sources][-1] == str(tmp_path / "dog" / "0.png")
    assert {why for _, why in found.skipped} == {"not an image, by its name", "a class folder without images"}


def test_one_class_is_enough(tmp_path):
    class_folders(tmp_path, {"cat": 1})
    assert len(dataset.read_for_evaluation(tmp_path)) == 1


@pytest.mark.parametrize(
    ("there", "asked", "chosen", "count"),
    [
        (("train", "val", "test"), None, "test", 2),
        (("train", "valid"), None, "val", 2),
        (("train",), None, "train", 2),
        (("test",), None, "test", 2),
        (("train", "val", "test"), "val", "val", 2),
        (("train", "val", "test"), "all", None, 6),
    ],
)
def test_the_part_that_is_evaluated(tmp_path, there, asked, chosen, count):
    for number, part in enumerate(there):
        class_folders(tmp_path / part, {"a": 1, "b": 1}, start=10 * number)
    found = dataset.read_for_evaluation(tmp_path, asked)
    assert (found.part, len(found)) == (chosen, count)


def test_a_class_that_only_the_test_part_has_is_evaluated(tmp_path):
    class_folders(tmp_path / "train", {"a": 2, "b": 2})
    class_folders(tmp_path / "test", {"c": 1, "b": 1}, start=9)
    assert names(dataset.read_for_evaluation(tmp_path)) == ["b", "c"]
    assert dataset.read_for_evaluation(tmp_path, "all").classes == ("a", "b", "c")


def test_idx_files_with_no_training_images_will_do(tmp_path):
    content = idx_folder(tmp_path, train=12, test=7)
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / name).unlink()
    found = dataset.read_for_evaluation(tmp_path)
    assert (found.part, len(found)) == ("test", 7)
    assert found.labels.tolist() == content["test"][1].tolist()
    assert np.array_equal(found.sources[3].pixels, content["test"][0][3])


def test_all_of_the_idx_files(tmp_path):
    idx_folder(tmp_path, train=12, test=7)
    assert len(dataset.read_for_evaluation(tmp_path, "all")) == 19


def test_a_recorded_division_has_the_same_parts(tmp_path):
    class_folders(tmp_path / "photos", {"a": 8, "b": 8})
    divided = dataset.read_for_training(tmp_path / "photos", test_split=0.25)
    divided.write(tmp_path / "photos" / "split.csv")
    for part in ("train", "val", "test"):
        found = dataset.read_for_evaluation(tmp_path / "photos" / "split.csv", part)
        assert [s.path for s in found.sources] == [s.path for s in divided.splits[part].sources]
        assert found.labels.tolist() == divided.splits[part].labels.tolist()


@pytest.mark.parametrize(
    ("header", "cells", "classes"),
    [
        ("path,label", "cat", ("cat",)),
        ("file,index,wordnet_id,name", "281,n02123045,tabby", ("n02123045",)),
        ("file,index,wordnet_id,name", "281,,tabby", ("281",)),
        ("name,file", None, ("tabby",)),
    ],
)
def test_a_table_of_images(tmp_path, header, cells, classes):
    class_folders(tmp_path, {"x": 2})
    row = "tabby,x/{}.png" if cells is None else "x/{}.png," + cells
    (tmp_path / "labels.csv").write_text(header + "\n" + "\n".join(row.format(i) for i in (0, 1, 7)) + "\n")
    found = dataset.read_for_evaluation(tmp_path / "labels.csv")
    assert (found.classes, len(found), found.part) == (classes, 3, None)
    # The third one is not there: it has its outcome when it is read.
    assert found.sources[2].path == str(tmp_path / "x/7.png")


def test_a_folder_of_images_with_its_table(tmp_path):
    class_folders(tmp_path, {"x": 1})
    (tmp_path / "x/labels.csv").write_text("file,name,split\n0.png,cat,val\n")
    found = dataset.read_for_evaluation(tmp_path / "x")
    assert (found.path, found.part, found.classes) == (str(tmp_path / "x"), "val", ("cat",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column 'path' or 'file'"),
        ("file,label\n", "no lines"),
        ("photo,label\na,b\n", "no column 'path' or 'file'"),
        ("file,kind\na,b\n", "has no classes"),
        ("file,label\nx/0.png,\nx/0.png,b\n", "line 2"),
        ("file,label\nnone.png,b\n", "have the images moved"),
        ("file,label,split\nx/0.png,b,holdout\n", "holdout"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path, text, words):
    class_folders(tmp_path, {"x": 1})
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        dataset.read_for_evaluation(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("path", "part", "words"),
    [
        ("nowhere", None, "There is no dataset"),
        ("empty", None, "no folders"),
        ("loose", None, "no folder for each class"),
        ("hollow", None, "has no images"),
        ("flat", "test", "it has no parts"),
        ("parts", "val", "it has train"),
        ("flat", "holdout", "holdout"),
        ("flat/a/0.png", None, "a folder or a table"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tmp_path, path, part, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "cat").mkdir(parents=True)
    class_folders(tmp_path, {"loose": 1})
    class_folders(tmp_path / "flat", {"a": 1})
    class_folders(tmp_path / "parts" / "train", {"a": 1, "b": 1})
    with pytest.raises(UsageError, match=words):
        dataset.read_for_evaluation(tmp_path / path, part)
