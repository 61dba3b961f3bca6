"""The network that ships with zoo is as good as the catalogue says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from zoo import registry, resources, verification


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


def test_the_file_is_the_one_that_was_measured():
    file = registry.get("cifar10-resnet9").weights["cifar10"].top
    path = resources.shipped("weights", file.shipped)
    assert verification.hash_file(path).sha256 == file.sha256
    assert path.stat().st_size == file.bytes <= 4_000_000


@pytest.mark.slow
@pytest.mark.real
def test_its_accuracy_is_the_published_one(real_data, tmp_path):
    script = benchmark("accuracy")
    top1, top5, _ = script.accuracy("cifar10-resnet9", script.cifar10(tmp_path))
    published = registry.get("cifar10-resnet9").weights["cifar10"]
    assert top1 >= 0.90
    assert round(100 * top1, 2) == pytest.approx(published.top1, abs=0.03)
    assert round(100 * top5, 2) == pytest.approx(published.top5, abs=0.03)
