"""The networks that ship as YAML: every count as published, every figure recomputed from the network itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.catalog import declarative, files, registry
from zoo.core import paths

ROOT = Path(__file__).parents[3]
NETWORKS = sorted(files.declared())

#: Parameters that are published, or follow from the layer sizes.
COUNTS = {
    "mnist-softmax": 7_850,
    "mnist-mlp": 23_860,
    "mnist-mlp-512": 669_706,
    "mnist-cnn": 3_274_634,
    "lenet5": 61_706,
    "lenet5-tf": 2_963_980,
    "cifar10-small": 88_278,
    "cifar10-cnn": 2_159_114,
    "dogs-vs-cats": 2_126_178,
    "conv-autoencoder": 30_689,
}
SIZES = {
    **dict.fromkeys(("mnist-softmax", "mnist-mlp", "mnist-mlp-512", "mnist-cnn", "lenet5", "lenet5-tf"), (28, 10, 1)),
    **dict.fromkeys(("cifar10-small", "cifar10-cnn"), (32, 10, 3)),
    "dogs-vs-cats": (128, 2, 3),
    "belgium-ts": (32, 62, 3),
    "fer-cnn": (48, 7, 1),
    "conv-autoencoder": (28, 0, 1),
    "fashion-cnn": (28, 10, 1),
}


@pytest.fixture(scope="module")
def create():
    from zoo.models import create_model

    return create_model


def trainable(model):
    return sum(int(weight.numpy().size) for weight in model.trainable_weights)


def test_all_are_there():
    assert set(SIZES) == set(NETWORKS)


@pytest.mark.parametrize("name", COUNTS)
def test_published_counts(name, create):
    assert registry.get(name).params == COUNTS[name]
    assert create(name, None).count_params() == COUNTS[name]


def test_counts_with_other_variables(create):
    smaller = registry.with_variables(registry.get("lenet5-tf"), {"fc": 800})
    assert create(smaller, None).count_params() == 1_659_180
    assert (smaller.params, dict(smaller.weights)) == (None, {})


def test_belgium_ts_is_published_by_what_is_trained(create):
    model = create("belgium-ts", None)
    assert trainable(model) == 2_669_758
    # Not 3,072, as its author wrote.
    assert model.get_layer("flatten").output.shape == (None, 4096)


def test_fashion_cnn_is_small():
    spec = registry.get("fashion-cnn")
    assert spec.params < 700_000
    assert spec.gmacs < 0.04


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_conventions(name, create):
    spec = registry.get(name)
    assert (spec.input_size[0], spec.classes, spec.preprocessing.channels) == SIZES[name]
    model = create(name, None)
    assert model.input_shape == (None, *spec.input_size, 3)
    assert all(model.get_layer(stage.layer).output.shape[-1] == stage.width for stage in spec.stages)
    if spec.classes:
        assert model.output_shape == (None, spec.classes)
        last = model.layers[-1]
        assert (last.name, last.activation.__name__, last.compute_dtype) == ("predictions", "softmax", "float32")
    bare = create(name, None, include_top=False)
    assert bare.count_params() == spec.params_no_top
    # Layers have one name in every process, so that weights can be copied by it.
    assert [layer.name for layer in model.layers] == [layer.name for layer in create(name, None).layers]


def test_the_regularised_weights_of_lenet5_tf(create):
    model = create("lenet5-tf", None)
    for layer in model.layers:
        if layer.weights:
            assert (layer.kernel_regularizer.l1, layer.kernel_regularizer.l2) == pytest.approx((1e-4, 1e-4))
            assert layer.bias_regularizer is None
    rates = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    assert rates == [0.5, 0.5, 0.5]


def test_the_autoencoder_s_code_can_be_taken_from_it(create):
    code = create("conv-autoencoder", None, include_top=False)
    assert code.output_shape == (None, 4, 4, 16)
    assert registry.get("conv-autoencoder").stages[-1].layer == "code"
    assert create("conv-autoencoder", None).output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_files_are_whole_and_in_order(name):
    file = paths.shipped("configs", "models", f"{name}.yaml")
    spec = declarative.load(file)
    assert spec.name == name
    assert spec.description.endswith(".")
    assert spec.family in {"mlp", "lenet", "cnn", "autoencoder"}
    stated = declarative.load_heading(file)
    assert (stated.params, stated.stages) == (spec.params, spec.stages)
    assert {line.partition(":")[0] for line in file.read_text().splitlines()} >= {"params", "gmacs", "layers"}


@pytest.mark.slow
def test_figures_are_those_of_the_networks():
    script = ROOT / "configs" / "refresh_catalogue.py"
    environment = {**os.environ, "KERAS_BACKEND": "openvino"}
    command = [sys.executable, script, "--check", *NETWORKS]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_wrong_figure_would_be_noticed_and_put_right(tmp_path):
    (tmp_path / "configs" / "models").mkdir(parents=True)
    for folder in ("zoo", "weights"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    script = tmp_path / "configs" / "refresh_catalogue.py"
    script.write_text((ROOT / "configs" / "refresh_catalogue.py").read_text())
    right = paths.shipped("configs", "models", "lenet5.yaml").read_text()
    file = tmp_path / "configs" / "models" / "lenet5.yaml"
    file.write_text(right.replace("params: 61706", "params: 61707").replace("[stage2, s4,", "[stage2, gone,"))
    environment = {**os.environ, "KERAS_BACKEND": "openvino"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment, check=True)
    assert "lenet5: params is 61707, should be 61706" in done.stdout
    assert file.read_text() == right
