"""A network measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.engines.coloured import NAMES, paint
from zoo.core.errors import UnavailableError, UsageError
from zoo.evaluation import measure as measuring
from zoo.evaluation.measure import Request


@pytest.mark.slow
def test_a_network_says_what_it_says_elsewhere_and_what_it_took(tmp_path):
    from zoo import Classifier

    paint(tmp_path / "photos", {name: [(name, 0.5)] for name in NAMES})
    (tmp_path / "photos/cat/bad.jpg").touch()
    found = measuring.measure(Request("cifar10-resnet9", str(tmp_path / "photos"), "all"), lambda done: None)
    results = Classifier("cifar10-resnet9").predict([tmp_path / "photos" / name / "0.png" for name in NAMES])
    answers = [answer for answer in found.answers if answer]
    assert answers == [result.label for result in results]
    assert len(found.ranks) == 11 and found.ranks.count(0) == 1
    right = [rank == 1 for rank in found.ranks if rank]
    assert right == [result.label == name for result, name in zip(results, NAMES, strict=True)]
    assert [path for path, _ in found.failed] == [str(tmp_path / "photos/cat/bad.jpg")]
    assert (found.device, found.engine, found.classes) == ("cpu", "openvino", 10)
    assert 0 < found.latency_ms < 5000 and found.images_per_second > 0
    # Python, NumPy and OpenVINO; TensorFlow would be 400 more.
    assert 40 < found.memory_mb < 400


def test_what_is_wrong_there_is_said_here(tmp_path):
    with pytest.raises(UsageError, match="There is no dataset"):
        measuring.measure(Request("cifar10-resnet9", str(tmp_path / "none"), "all"), lambda done: None)
    paint(tmp_path / "photos", {"cat": [("cat", 0.5)]})
    with pytest.raises(UnavailableError, match="resnet50"):
        measuring.measure(Request("resnet50", str(tmp_path / "photos"), "all"), lambda done: None)


def test_a_process_that_dies_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UnavailableError, match="lenet5 cannot be measured"):
        measuring.measure(Request("lenet5", str(tmp_path), "all"), lambda done: None)


def test_the_memory_is_of_this_process_and_not_of_its_parent():
    child = "from zoo.evaluation.measure import peak_memory; print(peak_memory())"
    code = f"import subprocess, sys; ballast = b'x' * 300_000_000; subprocess.run([sys.executable, '-c', {child!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 10 < float(done.stdout) < 250
