from __future__ import annotations

import gzip
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.trees import idx, idx_folder
from zoo.core.errors import UsageError
from zoo.data import dataset
from zoo.data.idx import IdxImages, find, read_file


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_what_was_written_is_read(tmp_path, suffix):
    content = idx_folder(tmp_path, suffix=suffix)
    for part, pair in find(str(tmp_path)).items():
        imgs, labels = content[part]
        assert np.array_equal(read_file(pair.images, dimensions=3), imgs)
        assert np.array_equal(read_file(pair.labels, dimensions=1), labels)


@pytest.mark.parametrize(
    "names",
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte"),
    ],
)
def test_other_spellings_of_the_names(tmp_path, names):
    idx_folder(tmp_path, names=names)
    assert set(find(str(tmp_path))) == {"train", "test"}


def test_a_plain_file_wins_over_its_compressed_form(tmp_path):
    idx_folder(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not even gzip")
    assert find(str(tmp_path))["train"].images.endswith("ubyte")


def test_a_folder_without_such_files(tmp_path):
    (tmp_path / "images-idx3.txt").touch()
    assert find(str(tmp_path)) == {}


def test_a_file_without_its_partner(tmp_path):
    idx_folder(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UsageError, match=r"t10k-images-idx3-ubyte has no labels beside it"):
        find(str(tmp_path))


def test_two_sets_in_one_folder(tmp_path):
    idx_folder(tmp_path)
    idx_folder(tmp_path, names=("digits-train-images-idx3-ubyte", "digits-train-labels-idx1-ubyte"))
    with pytest.raises(UsageError, match="more than one set"):
        find(str(tmp_path))


IMAGES = idx(np.zeros((3, 2, 2), np.uint8))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is no IDX file: it begins with nothing\."),
        (b"\x89PNG\r\n\x1a\n", r"is no IDX file: it begins with 89 50 4e 47\."),
        (IMAGES[:9], r"ends within its header"),
        (IMAGES[:-1], r"says that it holds 3 × 2 × 2 values, and holds 11: "),
        (IMAGES + b"x", r"says that it holds 3 × 2 × 2 values, and holds 13: "),
        (b"\0\0\x0d\x03" + IMAGES[4:], r"values of type 0x0d in 3 dimensions; expected are unsigned bytes"),
        (idx(np.zeros(3, np.uint8)), r"values of type 0x08 in 1 dimension; expected are unsigned bytes \(0x08\) in 3"),
        (b"\0\0\x08\x03" + b"\xff" * 12, r"says that it holds 4,294,967,295 × .* values, and holds 0"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_files(tmp_path, data, sentence, suffix):
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(gzip.compress(data) if suffix else data)
    sentence = sentence.replace("13: ", "more than 12: ") if suffix else sentence
    with pytest.raises(UsageError, match=re.escape(str(path)) + " .*" + sentence) as caught:
        read_file(str(path), dimensions=3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_that_is_not_compressed_after_all(tmp_path, suffix):
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    path.write_bytes(IMAGES)
    with pytest.raises(UsageError, match="cannot be decompressed"):
        read_file(str(path), dimensions=3)
    with pytest.raises(UsageError, match="no such file"):
        read_file(str(tmp_path / f"missing{suffix}"), dimensions=3)


def test_a_compressed_file_that_is_cut_short(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (30, 9, 9), np.uint8)))[:900])
    with pytest.raises(UsageError, match="cannot be decompressed"):
        read_file(str(path), dimensions=3)


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_an_array_or_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("idx") / "x-images-idx3-ubyte"
    path.write_bytes(data)
    try:
        array = read_file(str(path), dimensions=3)
    except UsageError as error:
        assert str(error).endswith(".")
    else:
        assert array.ndim == 3
        assert idx(np.asarray(array)) == data


def test_images_and_labels_of_different_numbers(tmp_path):
    idx_folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(39, np.uint8)))
    with pytest.raises(UsageError, match=r"holds 40 images and .* 39 labels"):
        dataset.read_for_training(tmp_path)


def test_images_are_sources(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    images = IdxImages(pixels, np.array([3, 1]), "file")
    assert [source.path for source in images] == ["file[3]", "file[1]"]
    assert np.array_equal(images[0].pixels, pixels[3])
    assert [source.path for source in images[1:]] == ["file[1]"]
    assert [source.path for source in images.take(np.array([1, 0]))] == ["file[1]", "file[3]"]
