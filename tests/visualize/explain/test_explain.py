"""A stream of images explained: a record for each, whatever it is, by one method or all."""

from __future__ import annotations

import inspect
import logging

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import zoo.visualize
from tests.training.finetuning.toys import NETWORK, paint
from tests.visualize.networks import fine_tuned, noise, of_quadrants, quadrant, randomised
from zoo.catalog import registry
from zoo.core.errors import ImageError, UsageError
from zoo.models import create_model
from zoo.visualize.explain.explain import choose, explain
from zoo.visualize.explain.methods import METHODS
from zoo.visualize.network.inspected_model import InspectedModel

SETTINGS = {"samples": 2, "patch": 32}


@pytest.fixture(scope="module")
def subject():
    """A network of zoo's kind: it takes uint8 images of any size."""
    model = create_model("cifar10-resnet9", None)
    opened = InspectedModel(randomised(model))
    opened.spec = registry.get("cifar10-resnet9")
    opened.name = "cifar10-resnet9"
    return opened


@pytest.fixture(scope="module")
def quadrants():
    return InspectedModel(of_quadrants(quadrant(0, 1), quadrant(1, 0)))


@pytest.fixture
def photos(tmp_path):
    for number in range(3):
        Image.fromarray(np.kron(noise(3, 8)[number], np.ones((9, 12, 1), "uint8"))).save(tmp_path / f"{number}.png")
    (tmp_path / "1b.jpg").write_bytes(b"nothing")
    return tmp_path


def test_each_image_has_one_record_in_order(subject, photos):
    records = list(explain(subject, [photos, photos / "gone.jpg"], faithfulness=False))
    assert [record.path for record in records] == [
        *(str(photos / name) for name in ("0.png", "1.png", "1b.jpg", "2.png")),
        str(photos / "gone.jpg"),
    ]
    assert [record.error is None for record in records] == [True, True, False, True, False]
    assert records[4].error == "no such file or folder"
    assert records[2].pixels is None
    assert records[2].explanations == records[2].predictions == ()
    for record in (records[0], records[1], records[3]):
        assert record.pixels.shape == (32, 32, 3)
        assert record.pixels.dtype == np.uint8
        assert np.array_equal(record.pixels, subject.read(record.path))
        (found,) = record.explanations
        assert (found.method, found.model, found.layer) == ("gradcam", "cifar10-resnet9", subject.default_layer)
        assert found.index == record.predictions[0].index
        assert found.score == pytest.approx(record.predictions[0].score, abs=1e-6)
        assert found.faithfulness is None
        assert len(record.predictions) == 5


def test_it_is_lazy(quadrants):
    def endless():
        while True:
            yield noise(1)[0]

    records = explain(quadrants, endless(), faithfulness=False)
    assert [next(records).path for _ in range(20)] == [f"array {number}" for number in range(20)]


def test_groups_change_nothing(quadrants):
    pixels = noise(10)
    records = list(explain(quadrants, pixels, top=2, faithfulness=False))
    assert len(records) == 10
    (alone,) = explain(quadrants, pixels[9], top=2, faithfulness=False)
    assert [one.index for one in records[9].explanations] == [one.index for one in alone.explanations]
    for one, other in zip(records[9].explanations, alone.explanations, strict=True):
        np.testing.assert_allclose(one.map, other.map, atol=1e-5 * other.map.max())


def test_classes_come_first_and_methods_second(quadrants):
    (record,) = explain(
        quadrants, noise(1), method=["eigencam", "gradcam"], target=[np.int64(1), "0"], layer="last_map"
    )
    assert [(one.index, one.method) for one in record.explanations] == [
        (1, "eigencam"),
        (1, "gradcam"),
        (0, "eigencam"),
        (0, "gradcam"),
    ]
    probabilities = quadrants.predict(noise(1))[0]
    assert [one.score for one in record.explanations] == pytest.approx(probabilities[[1, 1, 0, 0]].tolist(), abs=1e-6)
    for one in record.explanations:
        assert 0 <= one.faithfulness.deletion <= 1
        assert 0 <= one.faithfulness.insertion <= 1


def test_the_most_probable_classes(quadrants):
    (record,) = explain(quadrants, noise(1), method="gradcam", top=2, faithfulness=False)
    assert [one.index for one in record.explanations] == [one.index for one in record.predictions[:2]]
    assert record.predictions[0].score >= record.predictions[1].score


@pytest.mark.slow
def test_all_methods(quadrants):
    (record,) = explain(quadrants, noise(1), method="all", **SETTINGS)
    assert [one.method for one in record.explanations] == list(METHODS)
    assert all((one.layer == "last_map") == METHODS[one.method].load().has_layer for one in record.explanations)


def test_all_leaves_out_what_does_not_suit_the_network(caplog):
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(3, activation="softmax")])
    with caplog.at_level(logging.WARNING):
        (record,) = explain(model, noise(1, 8), method="all", samples=2)
    assert [one.method for one in record.explanations] == ["saliency", "smoothgrad", "integratedgradients", "occlusion"]
    assert "gradcam is left out" in caplog.text
    assert "guidedbackprop is left out" in caplog.text
    with pytest.raises(UsageError, match="no layer whose output has rows and columns"):
        explain(model, noise(1, 8), method="gradcam")


def test_all_leaves_out_gradients_where_there_are_none(caplog):
    pixels = keras.Input((8, 8, 3))
    x = keras.ops.cast(keras.ops.cast(pixels, "int32"), "float32")
    model = keras.Model(pixels, layers.Dense(2, activation="softmax")(layers.Flatten()(x)))
    (record,) = explain(model, noise(1, 8), method="all")
    assert [one.method for one in record.explanations] == ["occlusion"]
    assert "integratedgradients is left out: The network has no gradient here" in caplog.text


def test_a_blank_map_has_no_score():
    model = of_quadrants(quadrant(0, 1))
    model.get_layer("edges").set_weights([np.zeros((3, 3, 3, 6))])
    (record,) = explain(model, noise(1), method=["gradcam", "saliency"])
    assert all(one.blank and one.faithfulness is None for one in record.explanations)


def test_settings_go_to_the_methods_that_know_them(quadrants):
    smooth, covered, plain = choose(
        quadrants, ["smoothgrad", "occlusion", "gradcam"], samples=3, patch=9, layer="edges"
    )
    assert (smooth.samples, covered.patch, plain.layer) == (3, 9, "edges")
    with pytest.raises(UsageError, match="Grad-CAM has no setting 'samples'; there are none"):
        choose(quadrants, "gradcam", samples=3)
    with pytest.raises(UsageError, match="no setting 'sample'; there is noise, samples, seed"):
        choose(quadrants, "smoothgrad", sample=3)
    with pytest.raises(UsageError, match="looks at no layer"):
        choose(quadrants, "saliency", layer="edges")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "gradcamm"}, "no method 'gradcamm'"),
        ({"target": "dog"}, "has no names of classes but numbers from 0 to 2"),
        ({"target": 3}, "numbers from 0 to 2"),
        ({"layer": "edge"}, "no layer 'edge'. Did you mean 'edges"),
        ({"top": 0}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_said_before_a_image_is_read(quadrants, settings, message):
    with pytest.raises(UsageError, match=message):
        explain(quadrants, "gone/", **settings)


def test_a_class_by_numpy_s_number(quadrants):
    (record,) = explain(quadrants, noise(1), target=np.argmax([0, 1, 0]), faithfulness=False)
    assert [one.index for one in record.explanations] == [1]


def test_more_classes_than_there_are(quadrants):
    (record,) = explain(quadrants, noise(1), top=9, faithfulness=False)
    assert len(record.explanations) == 3


def test_a_network_that_was_given_as_it_is_takes_arrays_only(quadrants, photos):
    with pytest.raises(UsageError, match="give it arrays of the shape"):
        list(explain(quadrants, photos))


# Arrays

FUNCTIONS = (
    *("gradcam", "gradcam_plus_plus", "hirescam", "layercam", "scorecam", "eigencam", "saliency", "smoothgrad"),
    *("integrated_gradients", "guided_backpropagation", "occlusion"),
)


def test_every_method_has_its_function():
    assert [row.function for row in METHODS.values()] == list(FUNCTIONS)
    assert set(FUNCTIONS) <= set(zoo.visualize.__all__)


def test_functions_have_the_signature_of_their_method_and_a_docstring():
    assert list(inspect.signature(zoo.visualize.gradcam).parameters) == ["model", "images", "target", "layer"]
    parameters = inspect.signature(zoo.visualize.smoothgrad).parameters
    assert list(parameters) == ["model", "images", "target", "samples", "noise", "seed"]
    assert parameters["samples"].default == 25
    for name in FUNCTIONS:
        function = getattr(zoo.visualize, name)
        assert function.__name__ == name and "Raises:" in function.__doc__


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "gradcam" else pytest.mark.slow) for name in METHODS]
)
def test_arrays(name, quadrants):
    found = getattr(zoo.visualize, METHODS[name].function)(quadrants, noise(2), target=1)
    assert found.shape == (2, 64, 64)
    assert found.dtype == np.float32
    expected = np.stack([one.map for one in METHODS[name].load()(quadrants).explain(noise(2), [1, 1])])
    np.testing.assert_allclose(found, expected, atol=1e-6 * expected.max())


def test_arrays_of_images_that_cannot_be_read(subject, photos):
    with pytest.raises(ImageError, match=r"1b\.jpg: .*\.$"):
        zoo.visualize.gradcam(subject, photos)
    assert zoo.visualize.gradcam(subject, []).shape == (0, 32, 32)


def test_fractions_are_taken_as_they_are(quadrants):
    pixels = noise(2).astype("float32")
    np.testing.assert_allclose(
        zoo.visualize.gradcam(quadrants, pixels, target=0),
        zoo.visualize.gradcam(quadrants, noise(2), target=0),
        atol=1e-6,
    )


def test_everything_that_is_exported_is_there():
    for name in zoo.visualize.__all__:
        assert getattr(zoo.visualize, name) is not None
    assert set(zoo.visualize.__all__) <= set(dir(zoo.visualize))


# Files


@pytest.mark.slow
def test_a_network_that_zoo_fine_tuned(tmp_path):
    folder = paint(tmp_path / "photos")
    changes = ["augment={flip: horizontal}", "precision=float32", "views=2"]
    zoo.finetune(folder, NETWORK, tmp_path / "run", mode="head", changes=changes, epochs=4, learning_rate=0.01)
    file = str(tmp_path / "run" / "model.keras")
    methods = ["gradcam", "integratedgradients", "guidedbackprop", "occlusion"]
    (record,) = explain(file, folder / "green" / "0.png", method=methods, target="green")
    assert [one.method for one in record.explanations] == methods
    assert {one.label for one in record.explanations} == {"green"}
    assert {one.model for one in record.explanations} == {"model"}
    assert all(np.abs(one.values).max() > 0 for one in record.explanations)


@pytest.mark.slow
def test_a_file_of_plain_keras_with_a_nested_network(tmp_path, photos):
    fine_tuned(nested=True).save(tmp_path / "plain.keras")
    (record,) = explain(str(tmp_path / "plain.keras"), photos / "0.png", method=["gradcam", "saliency"], top=2)
    assert record.pixels.shape == (32, 32, 3)
    assert [one.label for one in record.explanations] == [str(one.index) for one in record.explanations]
    assert record.explanations[0].layer == "base/out_relu"
    in_memory = InspectedModel(keras.models.load_model(tmp_path / "plain.keras"))
    (expected,) = explain(in_memory, record.pixels, method=["gradcam", "saliency"], top=2, faithfulness=False)
    for one, other in zip(record.explanations, expected.explanations, strict=True):
        np.testing.assert_allclose(one.map, other.map, atol=1e-5)
