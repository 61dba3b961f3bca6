"""The classifier from Python, and which network it takes when nobody names one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.conftest import ROOT
from zoo.catalog import default_model, registry
from zoo.core.errors import UsageError, WeightsError

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = ROOT / "examples"
NAMES = ("ship.jpg", "car.jpg")


@pytest.fixture
def classifier():
    return zoo.Classifier("cifar10-resnet9")


def test_paths_arrays_and_batches_give_the_same(classifier):
    path = EXAMPLES / "ship.jpg"
    pixels = np.asarray(Image.open(path).convert("RGB"))
    by_path, by_array, *by_batch = [
        *classifier.predict(path),
        *classifier.predict(pixels),
        *classifier.predict(np.stack([pixels, pixels])),
    ]
    assert {result.label for result in (by_path, by_array, *by_batch)} == {"ship"}
    # A large JPEG is decoded at a reduced size, an array is taken as it is.
    assert by_array.predictions[0].score == pytest.approx(by_path.predictions[0].score, abs=0.01)
    for result in by_batch:
        assert result.predictions[0].score == pytest.approx(by_array.predictions[0].score, abs=1e-5)


def test_results_say_what_went_wrong(classifier, tmp_path):
    good, bad = classifier.predict([EXAMPLES / "car.jpg", tmp_path / "none.jpg"])
    assert good.ok
    assert not bad.ok
    assert bad.label is None
    assert "no such file" in bad.error


def test_threshold_and_top(classifier):
    (result,) = classifier.predict(EXAMPLES / "car.jpg", top=2, threshold=1.0)
    assert len(result.predictions) == 2
    assert result.label == "unknown"
    for wrong in ({"top": 0}, {"threshold": 1.5}):
        with pytest.raises(UsageError, match="Received"):
            classifier.predict(EXAMPLES / "car.jpg", **wrong)


def test_a_batch_after_a_single_image_is_run_as_a_batch(classifier):
    classifier.predict(EXAMPLES / "car.jpg")
    assert classifier.engine.single
    classifier.predict([EXAMPLES / "car.jpg"] * 2)
    assert not classifier.engine.single


@pytest.fixture
def film(tmp_path):
    """Two seconds of a ship, then one of a car."""
    pytest.importorskip("av")
    from tests.images.video.clips import clip

    ship, car = (np.asarray(Image.open(EXAMPLES / name).convert("RGB").resize((160, 120))) for name in NAMES)
    path = tmp_path / "film.mp4"
    path.write_bytes(clip([ship] * 50 + [car] * 25, options={"qmax": "3", "g": "25"}))
    return path


def test_a_video_has_one_result_with_its_frames_and_votes(classifier, film):
    before, result, after = classifier.predict([EXAMPLES / "car.jpg", film, EXAMPLES / "ship.jpg"], top=10, every="1s")
    assert [before.label, result.label, after.label] == ["automobile", "ship", "ship"]
    assert (before.frames, after.frames) == (None, None)
    assert (result.path, result.status, result.error) == (str(film), "ok", None)
    assert [(frame.time, frame.label) for frame in result.frames] == [(0, "ship"), (1, "ship"), (2, "automobile")]
    assert dict(result.votes) == {"ship": 2, "automobile": 1}
    # The mean over the frames, as of three images.
    moments = [f"{film}#t={second}.000" for second in range(3)]
    alone = [{p.label: p.score for p in row.predictions} for row in classifier.predict(moments, top=10)]
    for prediction in result.predictions:
        assert prediction.score == pytest.approx(np.mean([row[prediction.label] for row in alone]), abs=1e-5)


def test_frames_below_the_threshold_vote_for_unknown(classifier, film):
    (result,) = classifier.predict(film, every="1s", threshold=1.0)
    assert (result.label, dict(result.votes)) == ("unknown", {"unknown": 3})


def test_a_video_without_every_says_what_to_do(classifier, film):
    (result,) = classifier.predict(film)
    assert "--every 1s" in result.error


def test_what_is_missing_of_a_video_is_an_error_beside_the_answer(classifier, film):
    from tests.images.video.clips import clip

    ship = np.asarray(Image.open(EXAMPLES / "ship.jpg").convert("RGB").resize((160, 120)))
    whole = clip([ship] * 100, codec="mjpeg", pixels="yuvj420p", format="matroska")
    film.write_bytes(whole[: len(whole) * 6 // 10])
    for result in classifier.predict([film, film], every="1s"):
        assert (result.ok, result.label) == (True, "ship")
        assert result.error.startswith("no frame after 0:02.")
        assert [frame.label for frame in result.frames] == ["ship"] * 3 + [None]
        assert result.frames[-1].error == result.error
        assert dict(result.votes) == {"ship": 3}


def test_a_registered_function_runs_in_keras():
    @zoo.register_model("tiny-for-test", input_size=(16, 16), classes=4)
    def build(input_shape, classes):
        import keras

        inputs = keras.Input(input_shape)
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
        return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))

    with pytest.raises(WeightsError, match="tiny-for-test"):
        zoo.Classifier("tiny-for-test")
    assert zoo.create_model("tiny-for-test", weights=None).output_shape == (None, 4)


def test_the_compromise_prefers_small_good_and_quick():
    ranked = [spec.name for spec in default_model.ranking()]
    assert ranked[0] == "efficientnetb2"
    assert ranked.index("mobilenetv2") < ranked.index("vgg16")
    assert default_model.score(registry.get("cifar10-resnet9")) is None


def test_without_anything_the_shipped_network_is_taken(caplog):
    with caplog.at_level("WARNING", "zoo"):
        chosen = default_model.default(offline=True)
    assert (chosen.spec.name, chosen.weights.origin) == ("cifar10-resnet9", "shipped")
    (record,) = caplog.records
    assert "no ImageNet weights" in record.getMessage()


def test_what_is_cached_comes_before_what_could_be_fetched(tmp_path, monkeypatch, caplog):
    folder = tmp_path / "root"
    folder.mkdir()
    monkeypatch.setenv("ZOO_CACHE_PATH", str(folder))
    for name in ("vgg16", "mobilenetv2"):
        (folder / registry.get(name).weights["imagenet"].top.file).write_bytes(b"\x89HDF\r\n\x1a\n")
    with caplog.at_level("WARNING", "zoo"):
        assert default_model.default(offline=True).spec.name == "mobilenetv2"
    assert not caplog.records


@pytest.mark.real
def test_the_photographs_are_recognised(real_data):
    """Top-1 and top-5 on 200 photographs, with weights brought in by hand; a check that it works, no estimate."""
    import csv

    from zoo.models import import_weights

    labels = {
        row["file"]: int(row["index"]) for row in csv.DictReader((real_data / "imagenet200" / "labels.csv").open())
    }
    files = [real_data / "imagenet200" / name for name in labels]
    for name, file, top1, top5 in (
        ("mobilenetv2", "mobilenetv2_1.0_224.weights.h5", 0.875, 0.985),
        ("mobilenet_0.25", "mobilenet_2_5_224_tf.h5", 0.575, 0.84),
    ):
        import_weights.import_file(real_data / "weights" / file, registry.get(name))
        results = zoo.Classifier(name).predict(files)
        ranks = [[p.index for p in result.predictions] for result in results]
        right = list(labels.values())
        assert np.mean([rank[0] == truth for rank, truth in zip(ranks, right, strict=True)]) >= top1
        assert np.mean([truth in rank for rank, truth in zip(ranks, right, strict=True)]) >= top5


def test_a_grey_network_of_plain_keras_is_given_the_grey_of_colours(tmp_path):
    import keras

    grey = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="out")])
    kernel = np.zeros((64, 3), "float32")
    kernel[0] = [1, 0.5, 0]
    grey.set_weights([kernel, np.zeros(3, "float32")])
    grey.save(tmp_path / "grey.keras")
    image = np.full((8, 8, 3), [200, 100, 50], np.uint8)
    expected = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
    for engine in ("keras", "openvino"):
        (result,) = zoo.Classifier(str(tmp_path / "grey.keras"), engine=engine).predict(image)
        assert [p.score for p in result.predictions] == pytest.approx([expected, expected / 2, 0], abs=1e-3)
