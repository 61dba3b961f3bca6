"""Judging a network: which images, which classes, what is fitted on which part."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from tests.engines.coloured import NAMES, classifier, paint
from tests.pretrained.test_keras_file import CONFIG
from zoo.core.errors import UsageError
from zoo.evaluation import evaluate as evaluating
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file

#: Of ten answers seven are right, at 0.95: a network that is too sure.
SURE = {name: [(name, 0.95)] * 7 + [(NAMES[(i + 1) % 10], 0.95)] * 3 for i, name in enumerate(NAMES)}


@pytest.fixture
def parts(tmp_path):
    paint(tmp_path / "train", {"cat": [("cat", 0.9)]})
    paint(tmp_path / "val", SURE)
    paint(tmp_path / "test", SURE)
    return tmp_path


def test_the_temperature_is_fitted_on_val_and_reported_on_test(parts):
    seen = []
    found = evaluating.evaluate(
        classifier(), parts, calibrate_on="val", progress=lambda done, total: seen.append((done, total))
    )
    assert (found.split, len(found.labels), len(found.calibration.scored.labels)) == ("test", 100, 100)
    assert seen[0] == (1, 200) and seen[-1] == (200, 200)
    about = found.summary()
    assert about["ece"] == pytest.approx(0.25, abs=0.01)
    assert about["calibration"]["on"] == "val" and about["calibration"]["n"] == 100
    assert about["calibration"]["ece"] == pytest.approx(0, abs=0.01)
    assert about["calibration"]["loss"] < about["loss"]
    # 0.95 of 10 classes becomes 0.7: (0.95 / 0.00556)^(1/T) = 0.7 / (0.3 / 9).
    assert about["calibration"]["temperature"] == pytest.approx(np.log(0.95 / (0.05 / 9)) / np.log(21), rel=0.01)
    assert found.abstention(0.7)["chosen_on"] == "val"


def test_another_data_set_to_calibrate_on(parts):
    found = evaluating.evaluate(classifier(), parts / "test", calibrate_on=str(parts / "val"))
    assert found.calibration.temperature > 1
    for same in (parts / "test", parts):
        with pytest.raises(UsageError, match="100 of the 100 images"):
            evaluating.evaluate(classifier(), parts / "test", calibrate_on=str(same))
    with pytest.raises(UsageError, match="also those to calibrate on"):
        evaluating.evaluate(classifier(), parts, split="all", calibrate_on="val")


def test_where_no_temperature_is_best_it_is_said_and_the_rest_is_done(tmp_path, caplog):
    for part in ("val", "test"):
        paint(tmp_path / part, {"cat": [("cat", 0.9)], "dog": [("dog", 0.8)]})
    with caplog.at_level("WARNING", "zoo"):
        found = evaluating.evaluate(classifier(), tmp_path, calibrate_on="val")
    assert "all of them are right" in caplog.text
    assert found.summary()["calibration"] == {"on": "val", "n": 2, "temperature": None}
    with pytest.raises(UsageError, match="all of them are right"):
        found.store_temperature()


def test_a_stored_temperature_is_used_by_every_command(parts, tmp_path):
    file = tmp_path / "net.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(CONFIG).replace("48, 64", "32, 32"))
        archive.writestr("zoo.json", json.dumps({"classes": NAMES, "trained_on": "x"}))
    from zoo import Classifier

    def opened():
        found = Classifier(str(file))
        found._engine = classifier()._engine
        return found

    before = evaluating.evaluate(opened(), parts, calibrate_on="val")
    value = before.store_temperature()
    assert value == before.calibration.temperature == keras_file.temperature(file)
    assert keras_file.read_metadata(file)["classes"] == NAMES
    after = evaluating.evaluate(opened(), parts)
    assert after.temperature == value
    assert after.summary()["ece"] == pytest.approx(0, abs=0.01)
    assert np.allclose(after.scores, apply_temperature(before.scores, value), atol=1e-6)
    (result,) = opened().predict(parts / "test/cat/0.png")
    assert result.predictions[0].score == pytest.approx(0.7, abs=0.01)
    # Fitted once more it stays; the factor is found to be one.
    again = evaluating.evaluate(opened(), parts, calibrate_on="val")
    assert again.store_temperature() == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("wrong", [0, -1, "hot", True, float("inf")])
def test_a_temperature_that_is_none_is_refused(tmp_path, wrong):
    file = tmp_path / "net.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(CONFIG))
        archive.writestr("zoo.json", json.dumps({"temperature": wrong}))
    with pytest.raises(UsageError, match="temperature"):
        keras_file.temperature(file)


@pytest.mark.parametrize("views", ["mirror", "ten-crop"])
def test_more_views_of_plain_colours_change_nothing(parts, views):
    plain, more = (evaluating.evaluate(classifier(), parts, tta=tta) for tta in (None, views))
    assert more.tta == views and more.top1 == plain.top1
    assert np.allclose(more.scores, plain.scores, atol=1e-6)


def test_logits_become_probabilities_and_this_is_said(parts, caplog):
    with caplog.at_level("WARNING", "zoo"):
        found = evaluating.evaluate(classifier(logits=True), parts)
    assert "logits" in caplog.text
    plain = evaluating.evaluate(classifier(), parts)
    assert np.allclose(found.scores, plain.scores, atol=1e-3)
    assert found.scores.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_folders_may_have_names_of_their_own(tmp_path):
    paint(tmp_path / "photos", {"cat": [("cat", 0.9)]})
    (tmp_path / "photos/cat").rename(tmp_path / "photos/Katze")
    with pytest.raises(UsageError, match="'Katze'"):
        evaluating.evaluate(classifier(), tmp_path / "photos")
    (tmp_path / "map.csv").write_text("folder,label\nKatze,cat\n")
    for labels in ({"Katze": "cat"}, tmp_path / "map.csv"):
        assert evaluating.evaluate(classifier(), tmp_path / "photos", labels=labels).top1 == 1.0


def test_outputs_without_names_are_taken_in_order(tmp_path, caplog):
    nameless = classifier()
    nameless.classes = nameless.labels = ()
    paint(tmp_path, {name: [(name, 0.9)] for name in NAMES})
    with caplog.at_level("WARNING", "zoo"):
        found = evaluating.evaluate(nameless, tmp_path)
    assert found.top1 == 1.0 and found.names == tuple(NAMES)
    assert "have no names" in caplog.text
    (tmp_path / "ship/0.png").unlink()
    (tmp_path / "ship").rmdir()
    with pytest.raises(UsageError, match="10 outputs without names"):
        evaluating.evaluate(nameless, tmp_path)


def test_images_that_were_trained_on_are_no_measure(tmp_path, caplog):
    paint(tmp_path / "photos", {"cat": [("cat", 0.9)]})
    file = tmp_path / "net.keras"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(CONFIG).replace("48, 64", "32, 32"))
        archive.writestr("zoo.json", json.dumps({"classes": NAMES, "trained_on": "photos"}))
    from zoo import Classifier

    trained = Classifier(str(file))
    trained._engine = classifier()._engine
    with caplog.at_level("WARNING", "zoo"):
        evaluating.evaluate(trained, tmp_path / "photos")
    assert "was trained on images of" in caplog.text
    caplog.clear()
    paint(tmp_path / "others", {"cat": [("cat", 0.9)]})
    evaluating.evaluate(trained, tmp_path / "others")
    assert not caplog.records


@pytest.mark.parametrize(
    ("how", "words"), [({"tta": "flip"}, "--tta"), ({"split": "holdout"}, "holdout"), ({"calibrate_on": "x"}, "x")]
)
def test_what_makes_no_sense_is_one_sentence(parts, how, words):
    with pytest.raises(UsageError, match=words):
        evaluating.evaluate(classifier(), parts, **how)


@pytest.mark.slow
@pytest.mark.real
def test_the_photographs_are_as_accurate_as_was_measured_elsewhere(real_data):
    """Figures measured with plain Keras and Pillow, for two networks; the table says the classes by WordNet id."""
    from zoo.catalog import registry
    from zoo.models import import_weights

    for name, file, top1, top5 in (
        ("mobilenetv2", "mobilenetv2_1.0_224.weights.h5", 0.880, 0.990),
        ("mobilenet_0.25", "mobilenet_2_5_224_tf.h5", 0.580, 0.845),
    ):
        import_weights.import_file(real_data / "weights" / file, registry.get(name))
        about = evaluating.evaluate(name, real_data / "imagenet200").summary()
        assert (about["n"], about["failed"]) == (200, [])
        assert about["top1"] == pytest.approx(top1, abs=0.006)
        assert about["top5"] == pytest.approx(top5, abs=0.006)
