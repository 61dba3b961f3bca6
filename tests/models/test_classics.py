"""What the classic networks have in common: published sizes, the options of every builder, files, one training step."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from zoo.catalog import registry
from zoo.core.errors import UsageError
from zoo.models import create_model, find_layer

#: Parameters with the classifier, moving statistics included, by name.
COUNTS = {
    "alexnet": 60_965_224,
    "squeezenet1.0": 1_248_424,
    "squeezenet1.1": 1_235_496,
    "googlenet": 6_998_552,
    "resnet18": 11_699_112,
    "resnet34": 21_814_696,
    "inceptionv4": 42_711_400,
    "cifar-resnet20": 271_098,
    "cifar-resnet32": 466_426,
    "cifar-resnet44": 661_754,
    "cifar-resnet56": 857_082,
    "cifar-resnet110": 1_736_058,
}
#: Those of which a test builds many.
SMALL = {"squeezenet1.0": 64, "squeezenet1.1": 64, "resnet18": 64, "cifar-resnet20": 32, "alexnet": 67}
LARGE = {"googlenet": 64, "resnet34": 64, "cifar-resnet110": 32, "inceptionv4": 139}

BUILD = """
import json, sys
from zoo import models
from zoo.catalog import registry
figures = {}
for name in sys.argv[1:]:
    full = models.create_model(name, None)
    bare = models.create_model(name, None, include_top=False)
    figures[name] = [
        full.count_params(), bare.count_params(), full.output_shape, bare.output_shape, full.layers[-1].name,
        [[stage.name, *models.find_layer(full, stage.layer).output.shape[1:]] for stage in registry.get(name).stages],
    ]
print(json.dumps(figures))
"""


def run(script: str, *arguments: str, backend: str, cwd: Path) -> str:
    """Python in a process of its own, in which another Keras backend can be had."""
    root = str(Path(__file__).parents[2])
    path = {"PYTHONPATH": root} if "from zoo" in script else {}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=False,
        cwd=cwd,
        env={**os.environ, **path, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    "names",
    [
        ["alexnet", "squeezenet1.0", "squeezenet1.1", "cifar-resnet20"],
        pytest.param([*COUNTS], marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_sizes_are_the_published_ones(names: list[str], tmp_path: Path) -> None:
    """Built at their full size, on the backend that is quickest to build on."""
    figures = json.loads(run(BUILD, *names, backend="openvino", cwd=tmp_path).splitlines()[-1])
    for name in names:
        spec = registry.get(name)
        params, params_no_top, full, bare, last, stages = figures[name]
        assert params == spec.params == COUNTS[name], name
        assert params_no_top == spec.params_no_top, name
        assert (full, last) == ([None, spec.classes], "predictions"), name
        assert bare[-1] == spec.stages[-1].width, name
        assert len(bare) == 4, name
        for stage, (_, height, width, channels) in zip(spec.stages, stages, strict=True):
            # Networks that do not pad lose a little.
            assert 0.75 <= stage.stride * height / spec.input_size[0] <= 1.25, name
            assert (width, channels) == (height, stage.width), name


def test_the_paper_s_figures() -> None:
    assert COUNTS["squeezenet1.1"] * 49 < COUNTS["alexnet"]
    assert round(COUNTS["cifar-resnet20"] / 1e6, 2) == 0.27
    assert round(COUNTS["inceptionv4"] / 1e6, 1) == 42.7


@pytest.mark.parametrize("name", COUNTS)
def test_spec(name: str) -> None:
    spec = registry.get(name)
    assert spec.paper and spec.gmacs and spec.params
    assert spec.recipe == ("cifar" if spec.family == "cifar-resnet" else "imagenet")
    conventions = {"alexnet": "caffe", "googlenet": "caffe", "inception": "tf", "cifar-resnet": "cifar10"}
    assert spec.preprocessing.name == conventions.get(spec.family, "torch")
    assert spec.resize.policy == ("squash" if spec.family == "cifar-resnet" else "crop")


def test_aliases() -> None:
    assert registry.get("SqueezeNet").name == "squeezenet1.1"
    assert registry.get("InceptionV1").name == "googlenet"


@pytest.mark.parametrize("name", SMALL)
def test_options(name: str) -> None:
    """Other sizes, other classes, features; and the least size that the catalogue states is the least."""
    spec = registry.get(name)
    size = spec.min_size
    network = create_model(name, None, input_shape=(size, size + 5, 3), num_classes=7)
    assert network.output_shape == (None, 7)
    assert network.input_shape == (None, size, size + 5, 3)
    width = spec.stages[-1].width
    for pooling, shape in ((None, (None, None, width)), ("avg", (width,)), ("max", (width,))):
        features = create_model(name, None, input_shape=(size, size, 3), include_top=False, pooling=pooling)
        assert [wanted in (None, got) for wanted, got in zip(shape, features.output_shape[1:], strict=True)]
        assert features.output_shape[-1] == width
        assert features.layers[-1].name == {None: spec.stages[-1].layer, "avg": "avg_pool", "max": "max_pool"}[pooling]
    with pytest.raises(UsageError, match=f"at least {size} pixels"):
        create_model(name, None, input_shape=(size - 1, size, 3))


@pytest.mark.parametrize("name", ["alexnet", "squeezenet1.0", "squeezenet1.1"])
def test_min_size_is_what_the_builder_demands(name: str) -> None:
    spec = registry.get(name)
    module, _, function = str(spec.builder).partition(":")
    build = getattr(importlib.import_module(module), function)
    with pytest.raises(ValueError):
        build((spec.min_size - 1, spec.min_size - 1, 3), **spec.arguments)


def randomise(model: keras.Model, images: np.ndarray) -> None:
    """Numbers of their own for every BatchNorm, by which activations neither die out nor explode."""
    rng = np.random.default_rng(0)
    normalisations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in normalisations:
        for weight in layer.weights:
            weight.assign(rng.uniform(0.8, 1.2, weight.shape) - (weight.name in ("beta", "moving_mean")))
    if not any(isinstance(layer, keras.layers.Add) for layer in model.layers):
        return
    # Sums grow from block to block, where statistics do not hold them. They come from one pass in training mode.
    for layer in normalisations:
        layer.momentum = 0.0
    model(images.astype("float32"), training=True)


def sharpened(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities after the last layer with weights is scaled, so that they are far from uniform and differ."""
    last = [layer for layer in model.layers if layer.weights][-1]
    logits = np.log(model.predict(images, verbose=0) + 1e-30)
    kernel, bias = last.get_weights()
    if isinstance(last, keras.layers.Dense):
        # What all images have in common is taken away.
        scale = 2 / float(logits.std(axis=0).mean())
        last.set_weights([kernel * scale, bias - logits.mean(axis=0) * scale])
    else:
        last.set_weights([kernel * 2 / float(logits.std()), bias + 0.1])
    return np.asarray(model.predict(images, verbose=0))


ELSEWHERE = """
import sys, keras, numpy as np, openvino
for name in sys.argv[1:]:
    model = keras.models.load_model(name + ".keras")
    model.export(name + ".xml", format="openvino", verbose=False)
    compiled = openvino.Core().compile_model(name + ".xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    images, expected = np.load(name + ".x.npy"), np.load(name + ".y.npy")
    got = np.concatenate([compiled(image[None].astype("float32"))[0] for image in images])
    assert expected.max() > 4 / expected.shape[1], (name, expected.max(), "answers are near uniform")
    assert np.ptp(expected, axis=0).max() > 1e-3, (name, "answers do not depend on the image")
    assert np.abs(got - expected).max() < 1e-4, (name, np.abs(got - expected).max())
assert "zoo" not in sys.modules
"""


def check_elsewhere(sizes: dict[str, int], folder: Path) -> None:
    """Plain Keras on OpenVINO loads the networks, exports them, and OpenVINO says what the session's backend does."""
    rng = np.random.default_rng(3)
    for name, size in sizes.items():
        keras.utils.set_random_seed(0)
        network = create_model(name, None, input_shape=(size, size, 3), num_classes=100)
        images = rng.integers(0, 256, (4, size, size, 3), dtype=np.uint8)
        # Bright and dark, red and blue: images that differ for a network that has learned nothing.
        images = (images * np.linspace([0.1, 0.5, 1.0], [1.0, 0.6, 0.1], 4)[:, None, None]).astype(np.uint8)
        randomise(network, images)
        expected = sharpened(network, images)
        network.save(folder / f"{name}.keras")
        np.save(folder / f"{name}.x.npy", images)
        np.save(folder / f"{name}.y.npy", expected)
        keras.backend.clear_session()
    run(ELSEWHERE, *sizes, backend="openvino", cwd=folder)


def test_small_ones_open_and_export_elsewhere(tmp_path: Path) -> None:
    check_elsewhere({name: SMALL[name] for name in ("squeezenet1.0", "cifar-resnet20")}, tmp_path)


@pytest.mark.slow
def test_all_open_and_export_elsewhere(tmp_path: Path) -> None:
    check_elsewhere({**SMALL, **LARGE}, tmp_path)


@pytest.mark.slow
def test_at_full_size_too(tmp_path: Path) -> None:
    names = ("alexnet", "googlenet", "inceptionv4")
    check_elsewhere({name: registry.get(name).input_size[0] for name in names}, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["alexnet", *(pytest.param(name, marks=pytest.mark.slow) for name in ("googlenet", "squeezenet1.1", "resnet18"))],
)
def test_a_step_of_training_moves_every_weight(name: str) -> None:
    """On the processor too, where TensorFlow has grouped convolutions only through its compiler, asked or not."""
    keras.utils.set_random_seed(0)
    size = max(registry.get(name).min_size, 32)
    network = create_model(name, None, input_shape=(size, size, 3), num_classes=3)
    images = np.random.default_rng(0).integers(0, 256, (4, size, size, 3)).astype("float32")
    before = [np.array(weight) for weight in network.get_weights()]
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", jit_compile=False)
    losses = [float(network.train_on_batch(images, np.array([0, 1, 2, 0]))) for _ in range(2)]
    assert np.isfinite(losses).all()
    for weight, old in zip(network.weights, before, strict=True):
        assert not np.array_equal(weight, old), weight.path


def test_layers_are_called_as_in_the_papers() -> None:
    network = create_model("squeezenet1.0", None)
    assert find_layer(network, "fire9_expand3x3").output.shape[1:] == (13, 13, 256)
    assert find_layer(network, "conv1").output.shape[1:] == (109, 109, 96)
    assert find_layer(network, "pool8").output.shape[1:] == (13, 13, 512)


@pytest.mark.parametrize(
    ("builder", "options", "message"),
    [
        ("squeezenet:SqueezeNet", {"version": "2"}, r"version is '1.0' or '1.1'. Received: version='2'"),
        ("googlenet:GoogLeNet", {"variant": "v3"}, r"variant is 'paper' or 'tensorflow'. Received: variant='v3'"),
        ("resnet:ResNet", {"depth": 50}, r"depth is 18 or 34. Received: depth=50"),
        ("resnet:ResNet", {"shortcut": "C"}, r"shortcut is 'A' or 'B'. Received: shortcut='C'"),
        ("cifar_resnet:CifarResNet", {"depth": 18}, r"depth is 6n \+ 2, such as .* Received: depth=18"),
    ],
)
def test_variables_that_make_no_sense(builder: str, options: dict[str, Any], message: str) -> None:
    module, _, function = builder.partition(":")
    build = getattr(importlib.import_module(f"zoo.models.{module}"), function)
    with pytest.raises(ValueError, match=message):
        build((32, 32, 3), **options)
