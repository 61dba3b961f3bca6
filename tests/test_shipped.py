"""The networks whose weights ship with zoo are as good as the catalogue says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from zoo.catalog import labels, registry
from zoo.core import paths
from zoo.pretrained import digests


def benchmark(name):
    """A script of benchmarks/ as a module."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", Path(folder, f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(folder)


SHIPPED = {
    spec.name: weights
    for spec in registry.list_models()
    for weights in spec.weights.values()
    if weights.top and weights.top.shipped
}
#: What each has to reach, in per cent of its test set.
BARS = {
    "cifar10-resnet9": 90.0,
    "fashion-cnn": 92.5,
    "fmp-mnist": 99.4,
    "fmp-mnist-12": 99.4,
    "lenet5": 99.0,
    "mnist-cnn": 99.2,
}


def test_every_shipped_network_has_a_bar():
    assert set(SHIPPED) == set(BARS)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_file_is_the_one_that_was_measured(name):
    file = SHIPPED[name].top
    path = paths.shipped("weights", file.shipped)
    assert digests.hash_file(path).sha256 == file.sha256
    assert path.stat().st_size == file.bytes


def test_all_files_together_are_small():
    files = {weights.top.shipped: weights.top.bytes for weights in SHIPPED.values()}
    assert sum(files.values()) <= 15_000_000
    assert set(files) == {file.name for file in paths.shipped("weights").glob("*.h5")}


@pytest.mark.parametrize("name", SHIPPED)
def test_what_they_were_trained_on_is_said(name):
    weights = SHIPPED[name]
    assert weights.licence and weights.trained_on and weights.recipe and "accuracy.py" in weights.protocol
    assert len(labels.names(weights.labels)) == registry.get(name).classes


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("name", SHIPPED)
def test_the_accuracy_is_the_published_one(real_data, tmp_path, name):
    script = benchmark("accuracy")
    top1, top5, _ = script.accuracy(name, *script.test_split(script.SHIPPED[name], tmp_path))
    assert 100 * top1 >= BARS[name]
    assert round(100 * top1, 2) == pytest.approx(SHIPPED[name].top1, abs=0.03)
    assert round(100 * top5, 2) == pytest.approx(SHIPPED[name].top5, abs=0.03)
