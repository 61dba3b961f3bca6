"""Every method of the table: it lights what the class sees, on every way of building a network."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from tests.conftest import ROOT
from tests.visualize.networks import fine_tuned, noise, of_quadrants, quadrant, randomised
from zoo.cli.visualize import COMMANDS
from zoo.core.errors import UnavailableError, UsageError
from zoo.visualize.explain.masking import blurred, masked, resize_map
from zoo.visualize.explain.methods import METHODS, find
from zoo.visualize.network.inspected_model import InspectedModel

#: Patches that end where the quadrants do.
SETTINGS = {"occlusion": {"patch": 4, "stride": 4}, "smoothgrad": {"samples": 4}}
LAYERED = [name for name, row in METHODS.items() if row.load().has_layer]
#: One of each kind; the others take longer together than a test should.
QUICK = ("gradcam", "guidedbackprop")


def marked(names):
    return [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in names]


def explained(name, subject, pixels, targets, **settings):
    return list(METHODS[name].load()(subject, **{**SETTINGS.get(name, {}), **settings}).explain(pixels, targets))


@pytest.fixture(scope="module")
def one_quadrant():
    """A class that sees the upper right of an image."""
    return InspectedModel(of_quadrants(quadrant(0, 1)))


@pytest.fixture(scope="module")
def two_quadrants():
    """A class that sees the upper right, and one that sees the lower left."""
    return InspectedModel(of_quadrants(quadrant(0, 1), quadrant(1, 0)))


@pytest.mark.parametrize("name", METHODS)
def test_the_quadrant_that_the_class_sees_is_lit(name, one_quadrant):
    for found in explained(name, one_quadrant, noise(), [0, 0]):
        assert found.blank is None
        assert found.map.shape == (64, 64)
        assert found.map.dtype == np.float32
        assert found.map.min() >= 0
        assert (found.map * quadrant(0, 1)).sum() >= 0.95 * found.map.sum()


@pytest.mark.parametrize("name", marked(name for name in METHODS if name != "eigencam"))
def test_each_class_has_its_own_quadrant(name, two_quadrants):
    first, second = explained(name, two_quadrants, noise(), [0, 1])
    assert (first.index, second.index) == (0, 1)
    assert (first.map * quadrant(0, 1)).sum() >= 0.95 * first.map.sum() > 0
    assert (second.map * quadrant(1, 0)).sum() >= 0.95 * second.map.sum() > 0


def test_eigencam_is_the_same_for_every_class(two_quadrants):
    first, second = (explained("eigencam", two_quadrants, noise(1), [target])[0] for target in (0, 1))
    assert np.array_equal(first.map, second.map)


@pytest.mark.parametrize("name", marked(METHODS))
def test_a_image_s_map_does_not_depend_on_its_neighbours(name, one_quadrant):
    pixels = noise(3)
    alone = explained(name, one_quadrant, pixels[2:], [0])[0]
    among = explained(name, one_quadrant, pixels, [0, 0, 0])[2]
    np.testing.assert_allclose(alone.map, among.map, atol=1e-5 * alone.map.max())


def test_the_methods_are_found_as_people_type_them():
    for typed, name in {
        "Grad-CAM++": "gradcam++",
        "gradcam-plusplus": "gradcam++",
        "integrated_gradients": "integratedgradients",
        "guided-backpropagation": "guidedbackprop",
    }.items():
        assert find(typed) is METHODS[name]
    with pytest.raises(UsageError, match=r"no method 'gradcm'\. Did you mean 'gradcam"):
        find("gradcm")


def test_every_row_is_the_method_that_it_names():
    for name, row in METHODS.items():
        kind = row.load()
        assert kind.name == row.name == name
        assert row.command in COMMANDS and kind.title and kind.paper and kind.summary


def test_the_documentation_has_the_table():
    lines = [
        f"| `{kind.name}` | {kind.summary} | {kind.paper} | {'a layer' if kind.has_layer else 'pixels'} |"
        for kind in (row.load() for row in METHODS.values())
    ]
    assert "\n".join(lines) in (ROOT / "docs" / "explanations.md").read_text(encoding="utf-8")


# Against closed forms


def gap_network():
    """A convolution, the mean over all places, a classifier: what CAM was made for."""
    pixels = keras.Input((24, 32, 3))
    x = layers.Conv2D(7, 5, strides=2, activation="relu", name="maps")(pixels / 255.0)
    x = layers.GlobalAveragePooling2D()(x)
    return randomised(keras.Model(pixels, layers.Dense(5, activation="softmax", name="classes")(x)))


@pytest.mark.parametrize("name", ["gradcam", "hirescam"])
def test_grad_cam_is_cam_where_cam_exists(name):
    model = gap_network()
    subject = InspectedModel(model)
    pixels = np.random.default_rng(3).integers(0, 256, (4, 24, 32, 3), dtype="uint8")
    targets = np.array([0, 1, 2, 4])
    activations = subject.activations("maps", pixels)
    kernel = model.get_layer("classes").get_weights()[0]
    places = activations.shape[1] * activations.shape[2]
    cam = np.stack([one @ kernel[:, target] for one, target in zip(activations, targets, strict=True)]) / places
    values = np.stack([one.values for one in explained(name, subject, pixels, targets)])
    assert values.shape == (4, 10, 14)
    np.testing.assert_allclose(values, cam, atol=1e-5 * np.abs(cam).max())
    assert (values < 0).any(), "evidence against the class is kept"


@pytest.mark.parametrize("baseline", ["blurred", "black"])
def test_integrated_gradients_sum_to_the_difference_in_logit(baseline):
    subject = InspectedModel(fine_tuned(nested=True))
    pixels, targets = noise(4, 32), [0, 1, 2, 3]
    method = METHODS["integratedgradients"].load()(subject, baseline=baseline)
    found = list(method.explain(pixels, targets))
    bare = np.zeros((4, 32, 32, 3)) if baseline == "black" else np.stack([blurred(one) for one in pixels])
    differences = (subject.logits(pixels) - subject.logits(bare))[np.arange(4), targets]
    assert np.abs(differences).min() > 0.01
    sums = np.array([one.values.sum() for one in found])
    assert (np.abs(sums - differences) <= 0.0101 * np.abs(differences)).all()
    assert method.gaps.shape == (4,)
    assert method.gaps.max() <= 0.01
    with pytest.raises(UsageError, match="begin with blurred or black"):
        METHODS["integratedgradients"].load()(subject, baseline="white")


def test_integrated_gradients_that_do_not_get_there_say_so(caplog):
    subject = InspectedModel(fine_tuned(nested=True))
    method = METHODS["integratedgradients"].load()(subject, max_steps=16)
    with caplog.at_level(logging.WARNING):
        list(method.explain(noise(8, 32), [0] * 8))
    assert ("sum to the difference in logit within" in caplog.text) == bool((method.gaps > 0.01).any())


def test_saliency_is_the_gradient():
    """Of a linear network it is known: the weights."""
    weights = np.random.default_rng(0).normal(size=(8 * 8 * 3, 2)).astype("float32")
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.set_weights([weights, np.zeros(2)])
    subject = InspectedModel(model)
    expected = np.abs(weights[:, 1].reshape(8, 8, 3)).max(axis=-1)
    for name in ("saliency", "smoothgrad"):
        (found,) = explained(name, subject, noise(1, 8), [1])
        np.testing.assert_allclose(found.values, expected, rtol=1e-5)
    (shares,) = explained("integratedgradients", subject, noise(1, 8), [1], baseline="black")
    product = (noise(1, 8)[0] * weights[:, 1].reshape(8, 8, 3)).sum(axis=-1)
    np.testing.assert_allclose(shares.values, product, rtol=1e-3, atol=1e-2)
    assert (shares.values < 0).any()


def test_smoothgrad_is_seeded(one_quadrant):
    same, again, other = (explained("smoothgrad", one_quadrant, noise(1), [0], seed=seed)[0].map for seed in (1, 1, 2))
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)
    (none,) = explained("smoothgrad", one_quadrant, noise(1), [0], noise=0, samples=1)
    (plain,) = explained("saliency", one_quadrant, noise(1), [0])
    np.testing.assert_allclose(none.map, plain.map, rtol=1e-6)


def relu_forms():
    x = keras.Input((4, 4, 1))
    yield "layer", x, layers.ReLU()(x)
    yield "activation", x, layers.Activation("relu")(x)
    yield "six", x, layers.ReLU(6.0)(x)
    yield "operation", x, keras.ops.relu6(x)
    yield "within", x, layers.Conv2D(1, 1, activation="relu", kernel_initializer="ones")(x)
    yield "dense", x, layers.Dense(1, activation="relu6", kernel_initializer="ones")(x)
    yield "as a layer", x, layers.Dense(1, activation=layers.ReLU(), kernel_initializer="ones")(x)


@pytest.mark.parametrize(("form", "inputs", "relu"), [pytest.param(*case, id=case[0]) for case in relu_forms()])
def test_guided_backpropagation_lets_only_positive_gradients_pass(form, inputs, relu):
    """Half of the places speak for the class, half against it; only the former come back, and only where active."""
    signs = np.where(np.arange(16).reshape(4, 4, 1) % 2, 1.0, -1.0).astype("float32")
    x = layers.Flatten()(relu * signs[None])
    model = keras.Model(inputs, layers.Dense(1, use_bias=False, kernel_initializer="ones")(x))
    pixels = np.ones((1, 4, 4, 1), "float32")
    pixels[0, 0] = -1.0
    subject = InspectedModel(model)
    (plain,) = explained("saliency", subject, pixels, [0])
    (guided,) = explained("guidedbackprop", subject, pixels, [0])
    active = np.repeat([[0.0], [1.0], [1.0], [1.0]], 4, axis=1)
    np.testing.assert_allclose(plain.values, active)
    np.testing.assert_allclose(guided.values, active * (signs[..., 0] > 0))
    # The network that it was made of has its own gradient still.
    np.testing.assert_allclose(explained("saliency", subject, pixels, [0])[0].values, active)


def test_guided_backpropagation_needs_a_relu():
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(2, 3, activation="swish"), layers.Flatten()])
    model.add(layers.Dense(2))
    with pytest.raises(UsageError, match="has no ReLU"):
        METHODS["guidedbackprop"].load()(InspectedModel(model))


def test_occlusion_covers_every_pixel_evenly(one_quadrant):
    for patch, stride in ((64, 1), (10, 7), (3, 2), (1, 63)):
        method = METHODS["occlusion"].load()(one_quadrant, patch=patch, stride=stride)
        starts = method._starts(64)
        assert starts[0] == 0
        assert starts[-1] == 64 - patch
        assert max(np.diff([0, *starts])) <= stride
    with pytest.raises(UsageError, match=r"patch is from 1 to 64 pixels .* Received: 65 and 32"):
        METHODS["occlusion"].load()(one_quadrant, patch=65)


def test_scorecam_of_more_channels_than_are_computed_at_a_time():
    """The weights are those of each channel by itself."""
    pixels = keras.Input((8, 8, 3))
    x = layers.Conv2D(70, 3, activation="relu", name="maps")(pixels / 255.0)
    model = randomised(keras.Model(pixels, layers.Dense(3, activation="softmax")(layers.Flatten()(x))))
    subject, image = InspectedModel(model), noise(1, 8)
    method = METHODS["scorecam"].load()(subject, layer="maps")
    (found,) = method.explain(image, [1])
    activations = subject.activations("maps", image)[0]
    floats, expected = image[0].astype("float32"), np.zeros((6, 6))
    nothing = subject.predict(masked(subject, floats, np.zeros((1, 8, 8))))[0, 1]
    for channel in range(70):
        one = activations[..., channel]
        if np.ptp(one):
            mask = resize_map((one - one.min()) / np.ptp(one), 8, 8)
            expected += (subject.predict(masked(subject, floats, mask[None]))[0, 1] - nothing) * one
    np.testing.assert_allclose(found.values, expected, atol=1e-5 * np.abs(expected).max())


# Every way of building a network


@pytest.fixture(scope="module")
def nested_and_flat(tmp_path_factory):
    """A fine-tuned network that was saved and loaded, and the same one without nesting."""
    nested, flat = fine_tuned(nested=True), fine_tuned(nested=False)
    flat.set_weights(nested.get_weights())
    file = tmp_path_factory.mktemp("nested") / "tuned.keras"
    nested.save(file)
    pixels = noise(2, 32)
    np.testing.assert_allclose(flat.predict(pixels, verbose=0), nested.predict(pixels, verbose=0), atol=1e-6)
    return InspectedModel(keras.models.load_model(file)), InspectedModel(flat)


@pytest.mark.parametrize("name", marked(METHODS))
def test_a_nested_network_is_explained_as_its_flat_twin(name, nested_and_flat):
    nested, flat = nested_and_flat
    assert nested.default_layer == "base/out_relu"
    first, second = (explained(name, subject, noise(2, 32), [0, 1]) for subject in (nested, flat))
    for one, other in zip(first, second, strict=True):
        assert np.abs(one.values).max() > 0
        np.testing.assert_allclose(one.values, other.values, atol=1e-4 * np.abs(other.values).max())


def test_a_sequential_network_within_a_functional_one():
    trunk = keras.Sequential(
        [layers.Conv2D(4, 3, activation="relu", name="within"), layers.MaxPooling2D()], name="trunk"
    )
    pixels = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(trunk(pixels / 255.0))
    subject = InspectedModel(randomised(keras.Model(pixels, layers.Dense(3)(x))))
    assert subject.default_layer == "trunk/within"
    for name in ("gradcam", "saliency", "guidedbackprop"):
        assert all(np.abs(one.values).max() > 0 for one in explained(name, subject, noise(2, 16), [0, 1]))


@pytest.mark.parametrize("name", marked(METHODS))
def test_a_plain_network_with_one_grey_channel(name):
    subject = InspectedModel(of_quadrants(quadrant(1, 1), channels=1))
    (found,) = explained(name, subject, noise(1, channels=1), [0])
    assert (found.map * quadrant(1, 1)).sum() >= 0.95 * found.map.sum() > 0


@pytest.mark.parametrize("name", marked(LAYERED))
def test_a_layer_in_a_residual_branch_is_no_waist(name, nested_and_flat):
    """The image reaches the class round the layer too; at that layer the gradient is that through the branch."""
    nested, flat = nested_and_flat
    first, second = (
        explained(name, subject, noise(1, 32), [2], layer=layer)[0]
        for subject, layer in ((nested, "base/depthwise"), (flat, "depthwise"))
    )
    assert first.layer == "base/depthwise"
    np.testing.assert_allclose(first.values, second.values, atol=1e-4 * np.abs(second.values).max())


def test_a_layer_that_is_called_twice():
    shared = layers.Conv2D(3, 3, padding="same", activation="relu", name="shared")
    pixels = keras.Input((16, 16, 3))
    x = layers.GlobalAveragePooling2D()(shared(shared(pixels / 255.0)))
    subject = InspectedModel(randomised(keras.Model(pixels, layers.Dense(3)(x))))
    for name in ("gradcam", "saliency", "guidedbackprop", "integratedgradients"):
        assert all(np.abs(one.values).max() > 0 for one in explained(name, subject, noise(2, 16), [0, 1]))


def test_whole_numbers_as_input_have_a_gradient():
    """Plain pixels are often declared as uint8, through which no gradient would pass."""
    pixels = keras.Input((16, 16, 3), dtype="uint8")
    x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(pixels))
    subject = InspectedModel(randomised(keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))))
    for name in ("gradcam", "saliency", "guidedbackprop", "integratedgradients"):
        assert np.abs(explained(name, subject, noise(1, 16), [0])[0].values).max() > 0


# What is blank, and why


@pytest.mark.parametrize("name", marked(METHODS))
def test_a_class_that_nothing_speaks_for_has_a_reason(name):
    """The logit is a constant: every gradient is 0, and no cover changes it."""
    model = of_quadrants(quadrant(0, 0))
    for layer in ("edges", "logits"):
        model.get_layer(layer).set_weights([np.zeros_like(one) for one in model.get_layer(layer).get_weights()])
    (found,) = explained(name, InspectedModel(model), noise(1), [0])
    assert not found.map.any()
    assert found.blank
    assert not found.blank.endswith(".")
    assert any(word in found.blank for word in (" 0", "same", "not depend", "no way")), found.blank


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gradcam", "the channels of last_map, weighed by their gradients, are negative everywhere for this class"),
        ("hirescam", "the channels of last_map, weighed by their gradients, are negative everywhere for this class"),
        ("layercam", "no place of last_map that is active here has a gradient above 0 for this class"),
        ("gradcam++", "no place of last_map that is active here has a gradient above 0 for this class"),
        ("integratedgradients", "every pixel speaks against this class, compared with the black image"),
    ],
)
def test_a_class_that_everything_speaks_against_has_another_reason(name, reason):
    model = of_quadrants(np.ones((16, 16), "float32"))
    edges, dense = model.get_layer("edges"), model.get_layer("logits")
    edges.set_weights([np.ones((3, 3, 3, 6))])
    dense.set_weights([-np.abs(dense.get_weights()[0]), np.zeros(2)])
    pixels = np.zeros((1, 16, 16, 3), "uint8")
    pixels[0, 4:12, 4:12] = 255
    settings = {"baseline": "black"} if name == "integratedgradients" else {}
    (found,) = explained(name, InspectedModel(model), pixels, [0], **settings)
    assert found.blank == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("occlusion", "whatever part is covered, the probability of this class does not fall"),
        (
            "scorecam",
            "the channels of last_map, weighed by how much of this class each shows, are negative everywhere",
        ),
    ],
)
def test_a_class_that_is_more_probable_without_the_image(name, reason):
    model = of_quadrants(np.ones((64, 64), "float32"))
    dense = model.get_layer("logits")
    dense.set_weights([-dense.get_weights()[0], np.zeros(2)])
    (found,) = explained(name, InspectedModel(model), noise(1), [0])
    assert found.blank == reason


def test_a_network_without_gradients_is_one_sentence():
    pixels = keras.Input((8, 8, 3))
    x = keras.ops.cast(keras.ops.cast(pixels, "int32"), "float32")
    subject = InspectedModel(keras.Model(pixels, layers.Dense(2)(layers.Flatten()(x))))
    with pytest.raises(UnavailableError, match="has no gradient here"):
        explained("saliency", subject, noise(1, 8), [0])
    assert explained("occlusion", subject, noise(1, 8), [0])


def test_layers_go_to_the_methods_that_have_one(one_quadrant):
    with pytest.raises(UsageError, match="looks at no layer but at the pixels"):
        METHODS["saliency"].load()(one_quadrant, layer="edges")
    with pytest.raises(UsageError, match="gives \\(4,\\), which has no rows and columns"):
        METHODS["gradcam"].load()(one_quadrant, layer="pool")


# Another backend

JAX = """
import numpy as np
from tests.visualize.networks import noise, of_quadrants, quadrant
from tests.visualize.explain.test_methods import METHODS, SETTINGS, explained
from zoo.visualize.network.inspected_model import InspectedModel
import keras
assert keras.backend.backend() == "jax"
subject = InspectedModel(of_quadrants(quadrant(0, 1)))
for name in METHODS:
    for found in explained(name, subject, noise(), [0, 0]):
        assert (found.map * quadrant(0, 1)).sum() >= 0.95 * found.map.sum() > 0, name
print("all")
"""


@pytest.mark.slow
def test_all_methods_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    there = subprocess.run([sys.executable, "-c", "import jax"], env=environment, capture_output=True)
    if there.returncode:
        pytest.skip("JAX is not installed")
    done = subprocess.run([sys.executable, "-c", JAX], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "all\n", done.stderr[-3000:]
