"""An evaluation's figures, of answers that are known, computed by hand."""

from __future__ import annotations

import json

import pytest

from tests.engines.coloured import NAMES, classifier, paint
from zoo.core.errors import UsageError
from zoo.evaluation import evaluate as evaluating

#: Six of eight right; the most confident mistake is a dog.
IMAGES = {
    "cat": [("cat", 0.9), ("cat", 0.8), ("dog", 0.6)],
    "dog": [("dog", 0.9), ("dog", 0.7), ("cat", 0.95), ("dog", 0.5)],
    "ship": [("ship", 0.99)],
}


@pytest.fixture
def found(tmp_path):
    paint(tmp_path / "photos", IMAGES)
    (tmp_path / "photos/dog/broken.jpg").write_bytes(b"no image")
    return evaluating.evaluate(classifier(), tmp_path / "photos")


def test_the_figures_by_hand(found):
    about = found.summary()
    assert (about["n"], about["top1"], about["model"], about["split"]) == (8, 0.75, "cifar10-resnet9", None)
    assert about["top1_interval"] == pytest.approx([0.4093, 0.9285], abs=1e-4)
    assert about["balanced_accuracy"] == pytest.approx((2 / 3 + 3 / 4 + 1) / 3)
    assert about["macro_f1"] == pytest.approx((2 / 3 + 3 / 4 + 1) / 3)
    assert [(row["name"], row["index"], row["support"]) for row in about["per_class"]] == [
        ("cat", 3, 3),
        ("dog", 5, 4),
        ("ship", 8, 1),
    ]
    assert about["most_confused"] == [
        {"truth": "cat", "predicted": "dog", "count": 1},
        {"truth": "dog", "predicted": "cat", "count": 1},
    ]
    assert json.loads(json.dumps(about)) == about


def test_a_class_that_is_only_predicted_counts_in_macro_f1(tmp_path):
    paint(tmp_path / "photos", {"cat": [("cat", 0.9), ("cat", 0.9), ("dog", 0.9)]})
    about = evaluating.evaluate(classifier(), tmp_path / "photos").summary()
    # F1 of the cat is 4/5, of the dog 0; recall is known of the cat alone.
    assert about["macro_f1"] == pytest.approx((4 / 5 + 0) / 2)
    assert about["balanced_accuracy"] == pytest.approx(2 / 3)


def test_every_file_has_one_outcome(found, tmp_path):
    ((path, error),) = found.failed
    assert path == str(tmp_path / "photos/dog/broken.jpg") and error
    assert found.summary()["failed"] == [{"path": path, "error": error}]
    every = {str(file) for file in (tmp_path / "photos").rglob("*.*")}
    assert {*found.paths, path} == every and len(found.paths) + 1 == len(every)


def test_the_surest_mistake_comes_first(found, tmp_path):
    first, second = found.summary()["mistakes"]
    assert first["path"] == str(tmp_path / "photos/dog/2.png")
    # All others are equally probable; of these dog, class 5, comes after four.
    assert (first["truth"], first["predicted"], first["rank"]) == ("dog", "cat", 6)
    assert first["score"] == pytest.approx(0.95, abs=0.01)
    assert (second["truth"], second["predicted"]) == ("cat", "dog")


def test_the_confusion_has_only_classes_that_occur(found):
    assert [NAMES[index] for index in found.present] == ["cat", "dog", "ship"]
    assert found.confusion.tolist() == [[2, 1, 0], [1, 3, 0], [0, 0, 1]]


def test_the_threshold_of_a_precision(found):
    chosen = found.abstention(0.8)
    # 0.99 right, 0.95 wrong, then five right down to 0.7: 0.6 is wrong.
    assert chosen["threshold"] == pytest.approx(0.7, abs=0.01)
    assert (chosen["coverage"], chosen["precision"]) == (6 / 8, pytest.approx(5 / 6))
    assert found.abstention(1.0)["coverage"] == 1 / 8


def test_a_folder_in_which_nothing_can_be_read(tmp_path):
    (tmp_path / "photos/cat").mkdir(parents=True)
    (tmp_path / "photos/cat/a.jpg").touch()
    found = evaluating.evaluate(classifier(), tmp_path / "photos")
    about = found.summary()
    assert (about["n"], about["top1"], about["top1_interval"], len(about["failed"])) == (0, None, [0.0, 1.0], 1)
    assert found.abstention(0.9) is None and not found.mistakes().size
    assert json.dumps(about)


def test_nothing_was_fitted_so_nothing_is_stored(found):
    with pytest.raises(UsageError, match="No temperature was fitted"):
        found.store_temperature()
