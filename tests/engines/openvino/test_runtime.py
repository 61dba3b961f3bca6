"""Nothing is told to anybody when OpenVINO is imported, neither by the commands nor from Python."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

#: Stands for the package that sends messages, and notes that it was imported.
SPY = """
from pathlib import Path
Path(__file__).with_name("told").touch()

class Telemetry:
    def __init__(self, *args, **kwargs): pass
    def __getattr__(self, name): return lambda *args, **kwargs: None
"""

PYTHON = """
import sys
from zoo.engines.openvino import runtime
openvino = runtime.load()
assert openvino is runtime.load() is sys.modules["openvino"]
# What somebody else's program needs of it is there, and so is whatever was hidden from it.
openvino.convert_model
import openvino_telemetry
"""


@pytest.fixture
def spy(tmp_path):
    folder = tmp_path / "spy"
    folder.mkdir()
    (folder / "openvino_telemetry.py").write_text(SPY)
    return folder


def told(spy):
    file = spy / "told"
    there = file.exists()
    file.unlink(missing_ok=True)
    return there


def test_the_spy_would_see_it(spy):
    subprocess.run([sys.executable, "-c", "import openvino"], env={"PYTHONPATH": str(spy)}, check=True)
    assert told(spy)


def test_commands_tell_nobody(zoo, spy):
    environment = {"PYTHONPATH": f"{spy}:{ROOT}"}
    image = ROOT / "examples" / "ship.jpg"
    # The first one compiles the network, in a process of its own.
    for _ in range(2):
        done = zoo("classify", image, "-m", "cifar10-resnet9", "--device", "cpu", **environment)
        assert done.returncode == 0, done.stderr
        assert not told(spy)


def test_python_tells_nobody_and_loses_nothing(spy):
    python = PYTHON.replace("import openvino_telemetry", "")
    environment = {"PYTHONPATH": f"{spy}:{ROOT}"}
    subprocess.run([sys.executable, "-c", python], env=environment, check=True)
    assert not told(spy)
    subprocess.run([sys.executable, "-c", PYTHON], env=environment, check=True)
    assert told(spy)
