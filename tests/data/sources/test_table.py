from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.trees import class_folders, idx_folder
from zoo.core.errors import UsageError
from zoo.data import dataset


def same(first, second):
    assert first.classes == second.classes
    assert list(first.splits) == list(second.splits)
    for part, split in first.splits.items():
        other = second.splits[part]
        assert [source.path for source in split.sources] == [source.path for source in other.sources]
        assert split.labels.tolist() == other.labels.tolist()


def test_a_recorded_division_is_read_back(tmp_path):
    class_folders(tmp_path / "set", {"a": 12, "b": 9})
    data = dataset.read_for_training(tmp_path / "set", val_split=0.3, test_split=0.2, seed=5)
    data.write(tmp_path / "split.csv")
    (tmp_path / "config.yaml").write_text(f"dataset: {tmp_path / 'set'}\n")
    same(dataset.read_for_training(tmp_path / "split.csv"), data)
    # Beside the images no root is needed.
    data.write(tmp_path / "set" / "split.csv")
    same(dataset.read_for_training(tmp_path / "set" / "split.csv"), data)


def test_a_run_knows_where_its_images_are(tmp_path):
    class_folders(tmp_path / "set", {"a": 12, "b": 9})
    data = dataset.read_for_training(tmp_path / "set")
    previous = tmp_path / "set"
    for name in ("run1", "run2"):
        run = tmp_path / name
        run.mkdir()
        (run / "config.yaml").write_text(f"model: lenet5\ndataset: {previous}\n")
        data.write(run / "split.csv")
        again = dataset.read_for_training(run / "split.csv")
        same(again, data)
        assert list(again.rows()) == list(data.rows())
        # The next run was given the table of this one.
        previous = run / "split.csv"
    shutil.rmtree(tmp_path / "set")
    with pytest.raises(UsageError, match=r"were in .*set, which is not there any more"):
        dataset.read_for_training(tmp_path / "run2" / "split.csv")


@pytest.mark.parametrize("names", [None, "d\nc\nb\na\n"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_division_of_idx_files_is_read_back(tmp_path, names, suffix):
    idx_folder(tmp_path / "set", suffix=suffix)
    if names:
        (tmp_path / "set" / "labels.txt").write_text(names)
    data = dataset.read_for_training(tmp_path / "set", seed=2)
    data.write(tmp_path / "set" / "split.csv")
    again = dataset.read_for_training(tmp_path / "set" / "split.csv")
    same(again, data)
    assert (again.splits["val"].sources[3].pixels == data.splits["val"].sources[3].pixels).all()


def test_idx_files_that_have_changed(tmp_path):
    idx_folder(tmp_path / "set")
    table = tmp_path / "set" / "split.csv"
    dataset.read_for_training(tmp_path / "set").write(table)
    idx_folder(tmp_path / "set", values=[3, 2, 1, 0])
    with pytest.raises(UsageError, match=r"split.csv, line 2: train-images-idx3-ubyte\[\d+\] is no image of '\d'"):
        dataset.read_for_training(table)
    idx_folder(tmp_path / "set", train=8)
    with pytest.raises(UsageError, match="is no image of"):
        dataset.read_for_training(table)


def test_a_table_of_ones_own(tmp_path):
    class_folders(tmp_path / "photos", {"x": 6})
    lines = ["split,label,path,comment"]
    lines += [f"train,{'ab'[number % 2]},photos/x/{number}.png,nice" for number in range(4)]
    lines += [f"val,b,{tmp_path}/photos/x/4.png,absolute"]
    (tmp_path / "own.csv").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    data = dataset.read_for_training(tmp_path / "own.csv")
    assert data.counts() == {"a": {"train": 2, "val": 0}, "b": {"train": 2, "val": 1}}
    assert os.path.samefile(data.splits["val"].sources[0].path, tmp_path / "photos" / "x" / "4.png")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"has no column 'path'"),
        ("label,split\n", r"has no column 'path' or 'file'; it also needs one of label, wordnet_id, index, name"),
        ("path,split\na.png,train\n", r"has no classes; it needs one of the columns label,"),
        ("path,label,split\n", r"has no lines below its header"),
        (
            "path,label,split\na,cat,train\n\nb,cat,training\n",
            r", line 4: the split is .* Received: 'training'",
        ),
        ("path,label,split\na.png,cat\n", r", line 2: the split is train, val or test"),
        ("path,label,split\n,cat,train\n", r", line 2: 'path' and 'label' are needed"),
        ("path,label,split\na.png,cat,train\n", r", line 2: there is no .*a\.png; have the images moved\?"),
        ("path,label,split\n" + "x" * 140_000 + ",cat,train\n", r"is no table of comma-separated values: "),
    ],
)
def test_tables_that_make_no_sense(tmp_path, text, sentence):
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(UsageError, match=r"split\.csv" + r".*" + sentence):
        dataset.read_for_training(tmp_path / "split.csv")


def test_rules_hold_for_tables_too(tmp_path):
    class_folders(tmp_path, {"a": 2, "b": 2})

    def sentence(*lines, **options):
        (tmp_path / "split.csv").write_text("path,label,split\n" + "\n".join(lines))
        with pytest.raises(UsageError) as caught:
            dataset.read_for_training(tmp_path / "split.csv", **options)
        return str(caught.value)

    assert "only one class, 'a'" in sentence("a/0.png,a,train", "a/1.png,a,train")
    assert "class 'b'" in sentence("a/0.png,a,train", "b/0.png,b,val")
    assert "no images to train on" in sentence("a/0.png,a,test", "b/0.png,b,val")
    assert "not divided again" in sentence("a/0.png,a,train", "b/0.png,b,train", val_split=0.1)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from('path,label,split\n\r"train val\0x[0]-ubyte'), max_size=120))
def test_any_text_is_a_dataset_or_a_sentence(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("table")
    (folder / "split.csv").write_text("path,label,split\n" + text, newline="")
    with pytest.raises(UsageError):
        dataset.read_for_training(folder / "split.csv")
