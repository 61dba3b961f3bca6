"""Networks in files: read without Keras, and never more than data."""

from __future__ import annotations

import json
import zipfile

import pytest

from zoo.core.errors import UsageError
from zoo.pretrained import keras_file

CONFIG = {"config": {"layers": [{"class_name": "InputLayer", "config": {"batch_shape": [None, 48, 64, 3]}}]}}


@pytest.fixture
def write(tmp_path):
    def make(config=CONFIG, **members):
        path = tmp_path / "net.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            for name, text in members.items():
                archive.writestr(name.replace("__", "."), text)
        return path

    return make


def test_a_plain_file_has_its_size_and_numbers_for_classes(write):
    spec = keras_file.read_spec(write())
    assert (spec.name, spec.input_size, spec.classes) == ("net", (48, 64), 0)
    assert spec.weights["file"].labels == ()


def test_metadata_is_written_and_replaced(write):
    path = write(model__weights__h5="weights stay")
    for classes in (["a", "b"], ["x", "y", "z"]):
        keras_file.write_metadata(path, {"classes": classes, "resize": {"policy": "pad"}, "licence": "CC0-1.0"})
    spec = keras_file.read_spec(path)
    assert spec.weights["file"].labels == ("x", "y", "z")
    assert spec.resize.policy == "pad"
    assert keras_file.read_metadata(path)["licence"] == "CC0-1.0"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist().count("zoo.json") == 1
        assert archive.read("model.weights.h5") == b"weights stay"
    assert [entry.name for entry in path.parent.iterdir()] == ["net.keras"]


def shaped(*shapes):
    return {"config": {"layers": [{"class_name": "InputLayer", "config": {"batch_shape": list(s)}} for s in shapes]}}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (shaped((None, 48, 64, 4)), "grey"),
        (shaped((None, 10)), "images"),
        (shaped((None, 8, 8, 3), (None, 8, 8, 3)), "no single input"),
        (shaped((None, None, None, 3)), "any size"),
        ([], "no mapping"),
        ({}, "no single input"),
    ],
)
def test_what_takes_no_images_is_a_sentence(write, config, says):
    with pytest.raises(UsageError, match=says):
        keras_file.read_spec(write(config))


def test_files_that_are_no_archive(tmp_path):
    with pytest.raises(UsageError, match="no file"):
        keras_file.read_spec(tmp_path / "none.keras")
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(UsageError, match="not a file that Keras saved"):
        keras_file.read_spec(tmp_path / "text.keras")


def test_what_is_learnt_of_a_network_makes_no_other_of_it(write):
    path = write(model__weights__h5="weights")
    before = keras_file.fingerprint(path)
    keras_file.write_metadata(path, {"classes": ["a", "b"], "metrics": {"top1": 0.5}})
    assert keras_file.fingerprint(path) == before
    assert keras_file.fingerprint(write(model__weights__h5="heavier")) != before
