"""Fractional max-pooling networks: sizes, counts, one set of weights for every form, and the slow way in NumPy."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.layers.test_fractional import slow_boundaries, slow_pool
from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.engines.child_process import run_module
from zoo.layers.fractional import INFERENCE, FractionalMaxPooling2D
from zoo.models import create_model
from zoo.models.fractional import FractionalNet

ROOT = Path(__file__).parents[2]
NAMES = ("fmp-mnist", "fmp-mnist-12", "fmp-cifar100")
SMALL = {"filters": 3, "stages": 3}


def images(*shape):
    return np.random.default_rng(0).uniform(size=shape).astype("float32")


def predict(model, x):
    return keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(x), training=False))


def give(source, target):
    """Weights by the names of the layers."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def randomise(model, seed=0):
    """Answers that differ from image to image, and from pass to pass."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights(
            [rng.normal(size=w.shape) * (3 / np.prod(w.shape[:-1])) ** 0.5 * (w.ndim > 1) for w in layer.get_weights()]
        )


def slow_forward(model, x, number, *, root, stages, seed, overlapping, pseudorandom):
    """The whole network by loops and matrices, with the regions of one pass."""

    def convolve(x, layer, leaky=True):
        kernel, bias = layer.get_weights()
        size = kernel.shape[0]
        height, width = x.shape[1] - size + 1, x.shape[2] - size + 1
        y = bias + sum(x[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(size) for j in range(size))
        return np.maximum(y, 0.333 * y)

    pad = model.get_layer("padding").output.shape[1] - x.shape[1]
    x = np.pad(x.astype("float64"), ((0, 0), *[(pad // 2, pad - pad // 2)] * 2, (0, 0)))
    for stage in range(1, stages + 1):
        x = convolve(x, model.get_layer(f"conv{stage}"))
        size = model.get_layer(f"pool{stage}").output.shape[1]
        ends = slow_boundaries(
            (x.shape[1] - overlapping,) * 2,
            (size, size),
            number,
            pseudorandom=pseudorandom,
            seed=seed + stage - 1,
            stream=INFERENCE,
        )
        x = slow_pool(x, *ends, overlapping)
    for last in (stages + 1, stages + 2):
        x = convolve(x, model.get_layer(f"conv{last}"))
    kernel, bias = model.get_layer("predictions").get_weights()
    logits = x.mean((1, 2)) @ kernel + bias
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


# Figures


def test_sizes_and_counts():
    mnist, cifar = (create_model(name, None) for name in ("fmp-mnist", "fmp-cifar100"))
    assert [mnist.get_layer(f"pool{n}").output.shape[1] for n in range(1, 7)] == [25, 17, 11, 7, 4, 2]
    assert mnist.get_layer("padding").output.shape == (None, 36, 36, 1)
    assert [mnist.get_layer(f"conv{n}").filters for n in range(1, 9)] == [32 * n for n in range(1, 9)]
    sides = [74, 58, 45, 35, 27, 21, 16, 12, 9, 6, 4, 2]
    assert [cifar.get_layer(f"pool{n}").output.shape[1] for n in range(1, 13)] == sides
    assert cifar.get_layer("padding").output.shape == (None, 94, 94, 3)
    # Kernels of 2×2, one of 1×1, biases, and the dense layer.
    for model, k, n, channels, classes in ((mnist, 32, 6, 1, 10), (cifar, 64, 12, 3, 100)):
        widths = [channels, *(k * i for i in range(1, n + 3))]
        pairs = list(itertools.pairwise(widths))
        count = sum(4 * a * b + b for a, b in pairs[:-1]) + widths[-2] * widths[-1] + widths[-1]
        assert model.count_params() == count + (widths[-1] + 1) * classes
    assert (mnist.count_params(), cifar.count_params()) == (519_946, 12_770_212)


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_counts_right(name):
    spec = registry.get(name)
    bare = create_model(name, None, include_top=False)
    assert create_model(name, None).count_params() == spec.params
    assert bare.count_params() == spec.params_no_top
    assert bare.output_shape[1:3] == (1, 1)
    for stage in spec.stages:
        assert bare.get_layer(stage.layer).output.shape[-1] == stage.width
    assert spec.recipe == "fmp"


@pytest.mark.parametrize(
    # Backwards from the last map: 2 → 3, 4 → 6, 7 → 10, 11; 3 → 4, 5 → 7, 8 → 11, 12; 4 → 6, 7 → 10, 11 → 16, 17.
    ("side", "padded", "last"),
    [(8, 11, 1), (11, 11, 1), (12, 12, 2), (13, 17, 3)],
)
def test_other_sizes_come_out_even(side, padded, last):
    model = FractionalNet((side, 9, 1), include_top=False, stages=3, filters=2)
    assert model.get_layer("padding").output.shape[1:3] == (padded, 11)
    assert model.output_shape == (None, last, 1, 10)


# One network in three forms


@pytest.fixture(scope="module")
def forms():
    keras.utils.set_random_seed(0)
    training = FractionalNet((20, 17, 1), training=True, seed=3, **SMALL)
    randomise(training)
    once, often = (FractionalNet((20, 17, 1), passes=passes, seed=3, **SMALL) for passes in (1, 3))
    give(training, once)
    give(training, often)
    return training, once, often


def test_all_forms_have_the_same_weights(forms):
    def names(model):
        return [(layer.name, [w.shape for w in layer.weights]) for layer in model.layers if layer.weights]

    assert names(forms[0]) == names(forms[1]) == names(forms[2])
    kinds = [{type(layer) for layer in model.layers} for model in forms]
    assert [FractionalMaxPooling2D in found for found in kinds] == [True, False, False]


def test_outside_of_training_the_regions_are_those_of_the_first_pass(forms):
    training, once, often = forms
    x = images(4, 20, 17, 1)
    np.testing.assert_array_equal(predict(training, x), predict(once, x))
    assert np.abs(predict(often, x) - predict(once, x)).max() > 1e-3
    drawn = [training(x, training=True) for _ in range(2)]
    assert np.abs(np.subtract(*drawn)).max() > 1e-3


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("pseudorandom", [False, True])
def test_passes_against_the_slow_way(overlapping, pseudorandom):
    options = {"root": 3, "stages": 3, "seed": 7, "overlapping": overlapping, "pseudorandom": pseudorandom}
    model = FractionalNet((14, 14, 2), classes=4, filters=3, passes=3, **options)
    randomise(model)
    x = images(3, 14, 14, 2)
    passes = [slow_forward(model, x, number, **options) for number in range(3)]
    assert min(np.abs(passes[i] - passes[i - 1]).max() for i in range(3)) > 1e-3, "passes do not differ"
    assert np.ptp(passes[0], axis=0).max() > 1e-2, "answers do not depend on the image"
    np.testing.assert_allclose(predict(model, x), np.mean(passes, axis=0), atol=1e-5)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(keras.Model(model.input, model.get_layer("predictions").output)(x)),
        passes[0],
        atol=1e-5,
    )


def test_one_file_of_weights_serves_one_pass_and_twelve(tmp_path):
    once = create_model("fmp-mnist", None)
    once.save_weights(tmp_path / "a.weights.h5")
    often = create_model("fmp-mnist-12", tmp_path / "a.weights.h5")
    for layer in once.layers:
        for one, other in zip(layer.get_weights(), often.get_layer(layer.name).get_weights(), strict=True):
            assert np.array_equal(one, other)


def test_other_seeds_see_other_regions(forms):
    _, once, _ = forms
    other = FractionalNet((20, 17, 1), seed=4, **SMALL)
    give(once, other)
    x = images(4, 20, 17, 1)
    assert np.abs(predict(other, x) - predict(once, x)).max() > 1e-3


def test_dropout_grows_by_equal_steps():
    model = FractionalNet((20, 17, 1), dropout=0.5, **SMALL)
    rates = {layer.name: layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates == {f"dropout{n}": pytest.approx(0.5 * (n - 1) / 4) for n in range(2, 6)}


@pytest.mark.parametrize(("options", "message"), [({"root": 4}, "root is 1, 2 or 3"), ({"passes": 0}, "at least 1")])
def test_what_makes_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        FractionalNet(**options)


# Training


@pytest.mark.parametrize("policy", [pytest.param("float32", marks=pytest.mark.slow), "mixed_bfloat16"])
def test_steps_lower_the_loss(policy):
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        model = FractionalNet((20, 20, 1), training=True, classes=4, filters=8, stages=3)
    finally:
        keras.config.set_dtype_policy("float32")
    y = np.arange(16) % 4
    x = images(16, 20, 20, 1) * (y[:, None, None, None] + 1) / 4
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", jit_compile=False)
    losses = []
    for _ in range(30):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.8 * losses[0]
    assert model.get_layer("predictions").output.dtype == "float32"


@pytest.mark.slow
def test_a_step_of_the_network_for_cifar100_lowers_its_loss():
    keras.utils.set_random_seed(0)
    model = create_model("fmp-cifar100", None, training=True)
    x, y = 255 * images(2, 32, 32, 3), np.array([3, 70])
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    before = model.evaluate(x, y, verbose=0)
    model.train_on_batch(x, y)
    assert model.evaluate(x, y, verbose=0) < before


# Files and graphs


def test_nothing_but_stock_keras_is_saved(tmp_path):
    """What the network for use consists of comes from Keras, so no one needs zoo to open it."""
    model = FractionalNet((20, 17, 1), passes=2, **SMALL)
    text = model.to_json()
    assert '"registered_name": "zoo' not in text
    assert '"module": "zoo' not in text


READ_BACK = """
import sys, keras, numpy as np
for name in sys.argv[1:]:
    model = keras.models.load_model(name + ".keras")
    got, expected = model.predict(np.load(name + ".x.npy"), verbose=0), np.load(name + ".y.npy")
    assert expected.shape[0] == 5 and np.ptp(expected, axis=0).max() > 1e-2
    assert np.abs(got - expected).max() < 1e-5, np.abs(got - expected).max()
assert "zoo" not in sys.modules
"""


def save(model, path):
    x = (255 * images(5, *model.input_shape[1:])).astype("uint8")
    x[1] //= 3
    x[2, :10] = 0
    model.save(f"{path}.keras")
    np.save(f"{path}.x.npy", x)
    np.save(f"{path}.y.npy", predict(model, x))


@pytest.mark.slow
def test_plain_keras_opens_it(tmp_path):
    for name in NAMES[:2]:
        model = create_model(name, None)
        randomise(model)
        save(model, tmp_path / name)
    subprocess.run(
        [sys.executable, "-c", READ_BACK, *NAMES[:2]],
        cwd=tmp_path,
        check=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )


def answers_of_openvino(name, model, folder):
    """What the compiled form says, image by image and all at once; the batch is free in it."""
    import openvino

    model.save_weights(folder / "w.weights.h5")
    run_module(
        "zoo.engines.openvino.convert",
        {"model": name, "folder": str(folder), "weights": str(folder / "w.weights.h5"), "cut": None},
        failure=f"{name} cannot be compiled",
        remedy="",
        environment={"KERAS_BACKEND": "openvino"},
    )
    compiled = openvino.Core().compile_model(folder / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    x = np.load(folder / "a.x.npy")
    return compiled(x)[0], np.concatenate([compiled(image[None])[0] for image in x])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[:2])
def test_openvino_agrees(name, tmp_path):
    model = create_model(name, None)
    randomise(model)
    save(model, tmp_path / "a")
    for answers in answers_of_openvino(name, model, tmp_path):
        np.testing.assert_allclose(answers, np.load(tmp_path / "a.y.npy"), atol=1e-4)
