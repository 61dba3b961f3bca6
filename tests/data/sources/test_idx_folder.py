from __future__ import annotations

import numpy as np
import pytest

from tests.data.trees import idx, idx_folder
from zoo.core.errors import UsageError
from zoo.data import dataset


def test_a_dataset_with_names(tmp_path):
    content = idx_folder(tmp_path)
    (tmp_path / "labels.txt").write_text("coat\nbag\n\nT-shirt/top\nsandal\n")
    data = dataset.read_for_training(tmp_path, val_split=0.3)
    # The order of the file, which is that of the labels' numbers.
    assert data.classes == ("coat", "bag", "T-shirt/top", "sandal")
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 28, "val": 12, "test": 10}
    images, labels = content["train"]
    for split in (data.splits["train"], data.splits["val"]):
        for source, label in zip(split.sources, split.labels, strict=True):
            number = int(source.path.split("[")[1][:-1])
            assert np.array_equal(source.pixels, images[number])
            assert label == labels[number]
    assert next(data.rows())["path"].startswith("train-images-idx3-ubyte[")


def test_labels_that_begin_at_one_are_the_names(tmp_path):
    idx_folder(tmp_path, values=[1, 2, 5])
    data = dataset.read_for_training(tmp_path)
    assert data.classes == ("1", "2", "5")
    assert set(data.splits["train"].labels) == {0, 1, 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\nb\nc\n", r"train-labels-idx1-ubyte has the label 3, which is the number of no class"),
        ("a\nb\nc\nd\ne\n", r"The class 'e' .* has no images to train on"),
        ("a\nb\nb\nd\n", r"labels.txt has the same name twice"),
        ("a\n" * 1 + "\n".join(map(str, range(300))), r"has 301 lines; an IDX file has no more than 256 classes"),
    ],
)
def test_names_that_do_not_fit(tmp_path, text, sentence):
    idx_folder(tmp_path)
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        dataset.read_for_training(tmp_path)


def test_a_label_of_the_test_images_that_is_not_in_train(tmp_path):
    idx_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.full(10, 9, np.uint8)))
    with pytest.raises(UsageError, match="t10k-labels-idx1-ubyte has the label 9"):
        dataset.read_for_training(tmp_path)


def test_only_test_files(tmp_path):
    idx_folder(tmp_path)
    for name in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{name}-ubyte").unlink()
    with pytest.raises(UsageError, match="has no images to train on; it has only test"):
        dataset.read_for_training(tmp_path)


@pytest.mark.slow
@pytest.mark.real
def test_the_real_digits(real_data, tmp_path):
    import tarfile

    with tarfile.open(real_data / "mnist.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    data = dataset.read_for_training(tmp_path / "mnist")
    assert {part: len(split) for part, split in data.splits.items()} == {"train": 54001, "val": 5999, "test": 10000}
    assert data.classes == tuple("0123456789")
