"""Vectors from Python: which layer, how pooled, normalised, in which type; and the network that made a file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.conftest import ROOT
from zoo import models
from zoo.catalog import registry
from zoo.core.errors import ImageError, UsageError
from zoo.core.spec import Cut
from zoo.images import decode
from zoo.images.source import Source
from zoo.inference import feature_file
from zoo.inference.features import Extractor, extract_features
from zoo.vectors import open_vectors

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = ROOT / "examples"
IMAGES = [EXAMPLES / name for name in ("airplane.jpg", "ship.jpg", "car.jpg")]
NETWORK = "cifar10-resnet9"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def compiled_once(own_caches, cache, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(cache))


def test_a_row_for_each_image_in_order_and_the_others_with_reasons(tmp_path):
    found = zoo.extract_features([IMAGES[0], tmp_path / "none.jpg", IMAGES[1]], model=NETWORK)
    assert found.vectors.shape == (2, 256)
    assert found.vectors.dtype == np.float32
    assert found.paths == (str(IMAGES[0]), str(IMAGES[1]))
    ((path, reason),) = found.failed
    assert path == str(tmp_path / "none.jpg")
    assert "no such file" in reason


def test_nothing_that_can_be_read_gives_no_rows(tmp_path):
    found = extract_features(tmp_path / "none.jpg", NETWORK)
    assert len(found.vectors) == len(found.paths) == 0
    assert len(found.failed) == 1


def test_a_stage_is_the_layer_that_ends_it():
    one = Extractor(NETWORK, layer="stage1")
    assert one.spec.cut.layer == "stage1_res_add"
    by_stage, by_layer = (extract_features(IMAGES, NETWORK, layer=name) for name in ("stage1", "stage1_res_add"))
    np.testing.assert_array_equal(by_stage.vectors, by_layer.vectors)


def test_pooling_is_what_it_says():
    maps = extract_features(IMAGES, NETWORK, layer="stage2", pool="none").vectors
    assert maps.shape[0] == 3 and maps.ndim == 4
    for pool, expected in {
        "avg": maps.mean((1, 2)),
        "max": maps.max((1, 2)),
        "flatten": maps.reshape(3, -1),
    }.items():
        found = extract_features(IMAGES, NETWORK, layer="stage2", pool=pool).vectors
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_several_layers_and_probabilities_are_those_of_one_at_a_time():
    found = extract_features(IMAGES, NETWORK, layer=["stage3", "stage1"], probabilities=True)
    alone = [extract_features(IMAGES, NETWORK, layer=name).vectors for name in ("stage3", "stage1")]
    np.testing.assert_allclose(found.vectors, alone[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.more["features_stage1_res_add"], alone[1], rtol=1e-4, atol=1e-5)
    classified = zoo.Classifier(NETWORK).predict(IMAGES, top=1)
    assert found.more["probabilities"].shape == (3, 10)
    for row, result in zip(found.more["probabilities"], classified, strict=True):
        assert row.argmax() == result.predictions[0].index
        assert row.max() == pytest.approx(result.predictions[0].score, abs=1e-4)


def test_normalised_vectors_have_length_one_and_the_same_direction():
    plain, unit = (extract_features(IMAGES, NETWORK, normalize=flag).vectors for flag in (False, True))
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(unit * np.linalg.norm(plain, axis=1, keepdims=True), plain, rtol=1e-4, atol=1e-6)


def test_float16_is_the_nearest_and_what_it_cannot_hold_is_refused(monkeypatch):
    full, half = (extract_features(IMAGES, NETWORK, dtype=dtype).vectors for dtype in ("float32", "float16"))
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, full.astype("float16"))
    extractor = Extractor(NETWORK, dtype="float16")
    with pytest.raises(UsageError, match="float16 cannot hold; use --dtype float32"):
        extractor._finished(np.array([1.0, 70000.0], "float32"))


def test_arrays_sources_and_batches_are_images_too():
    pixels = np.asarray(Image.open(IMAGES[1]).convert("RGB"))
    extractor = Extractor(NETWORK)
    one = extractor.extract(pixels)
    batch = extractor.extract(np.stack([pixels, pixels]))
    source = extractor.extract(Source.from_array(pixels, name="mine"))
    assert one.paths == ("array 0",) and batch.paths == ("array 0", "array 1") and source.paths == ("mine",)
    for found in (batch, source):
        np.testing.assert_allclose(found.vectors[-1], one.vectors[0], rtol=1e-5, atol=1e-6)


def test_a_stream_is_lazy():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield IMAGES[0]

    stream = Extractor(NETWORK).stream(endless())
    for _ in range(5):
        source, output = next(stream)
        assert not isinstance(output, ImageError)
        assert source.path == str(IMAGES[0])
    stream.close()
    assert len(taken) < 100


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layer": "stage1_ress_add"}, "Did you mean.*stage1_res_add"),
        ({"layer": "stag1"}, "Did you mean.*stage1"),
        ({"layer": ["stage1", "stage1"]}, "twice"),
        ({"layer": ["stage1", "stage1_res_add"]}, "twice"),
        ({"pool": "mean"}, "Expected --pool avg"),
        ({"dtype": "int8"}, "Expected --dtype float32"),
        ({"batch_size": 0}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(settings, sentence):
    with pytest.raises(UsageError, match=sentence):
        extract_features(IMAGES, NETWORK, **settings)


def test_the_network_that_made_a_file_is_found_again():
    made = Extractor(NETWORK, layer="stage2", pool="max", normalize=True)
    again = Extractor.from_attributes(made.about)
    assert again.about == made.about
    np.testing.assert_array_equal(again.extract(IMAGES).vectors, made.extract(IMAGES).vectors)


@pytest.mark.parametrize("key", ["weights_digest", "network", "resize"])
def test_another_network_than_the_one_that_made_a_file_is_refused(key):
    about = {**Extractor(NETWORK).about, key: "other"}
    with pytest.raises(UsageError, match=key.replace("_", " ")):
        Extractor.from_attributes(about)


#: The attributes of a file that zoo 0.1 wrote.
OLD = {
    "model": "cifar10-resnet9",
    "tag": "cifar10",
    "layer": "stage2_pool",
    "pool": "avg",
    "further_layers": [],
    "probabilities": False,
    "normalized": False,
    "dtype": "float32",
    "preprocessing": "channels stay RGB, minus 125.3 123 113.9, divided by 63 62.1 66.7",
    "resize": "the whole picture is squashed to 32×32 (bilinear, antialiased)",
    "weights_digest": "0c7d35166a9abec6954a156d286f8277a07c8a2325422d60fe6f65dba87dc0e9",
    "precision": "float32",
    "calibration": "",
    "network": "445eee42b41d37e87538",
    "zoo_version": "0.1.0",
}


def test_a_file_of_zoo_0_1_is_searched_and_continued(tmp_path):
    extractor = Extractor.from_attributes(OLD)
    assert extractor.about_as(OLD) == {**OLD, "zoo_version": zoo.__version__}
    feature_file.write(IMAGES[:1], tmp_path / "f.h5", extractor, about=OLD)
    assert feature_file.write(IMAGES, tmp_path / "f.h5", extractor, mode="update").count == 3
    with open_vectors(tmp_path / "f.h5") as vectors:
        assert {**vectors.file_about, "zoo_version": "0.1.0"} == OLD
    with pytest.raises(UsageError, match="its network differs"):
        Extractor.from_attributes({**OLD, "network": "other"})


def test_networks_that_differ_in_the_fifth_decimal_differ():
    one = Extractor(NETWORK).about
    nearly = replace(registry.get(NETWORK).preprocessing, mean=(125.30001, 123.0, 113.9))
    other = Extractor(NETWORK)
    other.spec = replace(other.spec, preprocessing=nearly)
    assert {key for key in one if one[key] != other.about[key]} == {"preprocessing", "network"}


def test_a_file_that_does_not_say_what_made_it_is_refused():
    with pytest.raises(UsageError, match="'model' is missing"):
        Extractor.from_attributes({"layer": ""})


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_both_engines_give_what_keras_gives(engine):
    extractor = Extractor(NETWORK, layer=["stage2", "stage3"], pool="avg", probabilities=True, engine=engine)
    found = extractor.extract(IMAGES)
    pixels = np.stack([decode.load(str(path), extractor.spec.resize) for path in IMAGES])
    whole = replace(extractor.spec, cut=None)
    for name, layer in (("features", "stage2_pool"), ("features_stage3_res_add", "stage3_res_add")):
        network = models.create_model(replace(whole, cut=Cut(layer=layer)), weights=extractor.choice.weights.path)
        expected = np.asarray(network.predict_on_batch(pixels)).mean((1, 2))
        values = found.vectors if name == "features" else found.more[name]
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4)
