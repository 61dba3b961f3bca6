"""``zoo compare`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.test_evaluate import EXAMPLES, one_sentence
from tests.conftest import ROOT
from tests.data.trees import idx_folder

pytestmark = pytest.mark.usefixtures("warm_cache")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Compiled once for all of these tests."""
    return {"ZOO_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def photos(tmp_path):
    for name, file in (("ship", "ship.jpg"), ("automobile", "car.jpg")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        shutil.copy(EXAMPLES / file, tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.fixture
def digits(tmp_path):
    idx_folder(tmp_path / "digits", train=10, test=30, size=(28, 28), values=range(10))
    return tmp_path / "digits"


@pytest.mark.slow
def test_two_networks_in_one_table(zoo, digits, cache):
    arguments = ("compare", "--dataset", digits, "-m", "lenet5", "-m", "mnist-cnn")
    done = zoo(*arguments, "--format", "json", **cache)
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert (about["n"], about["split"], about["failed"]) == (30, "test", [])
    first, second = about["models"]
    assert {first["model"], second["model"]} == {"lenet5", "mnist-cnn"}
    assert first["top1"] >= second["top1"]
    assert first["agreement"] is None and 0 <= second["agreement"] <= 1
    (pair,) = about["pairs"]
    assert pair["agreement"] == second["agreement"] and pair["p"] == second["p"]
    assert (pair["only_one"] - pair["only_other"]) / 30 == pytest.approx(first["top1"] - second["top1"])
    done = zoo(*arguments, "--format", "csv", **cache)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["model"] for row in rows] == [row["model"] for row in about["models"]]
    assert [float(row["top1"]) for row in rows] == [row["top1"] for row in about["models"]]
    for row in about["models"]:
        alone = json.loads(zoo("evaluate", "--dataset", digits, "-m", row["model"], **cache).stdout)
        assert alone["top1"] == row["top1"] and alone["top1_interval"] == row["top1_interval"]
        assert alone["top5"] == row["top5"]
        assert row["latency_ms"] > 0 and row["size_mb"] > 0.1 and row["memory_mb"] > 40


def test_broken_files_and_a_table(zoo, tmp_path, cache):
    (tmp_path / "photos/ship").mkdir(parents=True)
    shutil.copy(EXAMPLES / "ship.jpg", tmp_path / "photos/ship")
    (tmp_path / "photos/ship/empty.jpg").touch()
    shutil.copytree(tmp_path / "photos/ship", tmp_path / "photos/cat")
    models = ("-m", "cifar10-resnet9", "-m", "cifar10-resnet9:cifar10")
    done = zoo("compare", "--dataset", "photos", *models, "--format", "table", **cache)
    assert done.returncode == 1
    assert "2 of 4 could not be read" in one_sentence(done)
    text = done.stdout.decode()
    assert "50.00%" in text and "100.0%" in text and "which may be chance" in text


@pytest.mark.parametrize(
    ("models", "status", "words"),
    [
        ((), 2, "--model"),
        (("-m", "lenet5"), 2, "at least two different models"),
        (("-m", "lenet5", "-m", "lenet6"), 2, "lenet5"),
        (("-m", "cifar10-resnet9", "-m", "lenet5"), 2, "'automobile', 'ship', which lenet5 does not know"),
        (("-m", "cifar10-resnet9", "-m", "resnet50"), 4, "zoo pull resnet50"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(zoo, photos, cache, models, status, words):
    done = zoo("compare", "--dataset", photos, *models, **cache)
    assert done.returncode == status, done.stderr
    assert words in one_sentence(done)
    assert done.stdout == b""


@pytest.mark.slow
def test_ctrl_c_ends_the_process_that_measures(tmp_path, cache):
    (tmp_path / "photos/ship").mkdir(parents=True)
    for number in range(6000):
        (tmp_path / f"photos/ship/{number}.jpg").symlink_to(EXAMPLES / "ship.jpg")
    models = ("-m", "cifar10-resnet9", "-m", "cifar10-resnet9:cifar10")
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", "compare", "--dataset", "photos", *models, "-o", "a.json"],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **cache},
    )
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    said = b""
    while b"measuring" not in said and process.poll() is None:
        said = process.stderr.readline()
    time.sleep(0.7)
    with open(children) as file:
        (child,) = file.read().split()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == b"zoo: interrupted"
    assert not os.path.exists(f"/proc/{child}")
    assert {path.name for path in tmp_path.iterdir()} - {"keras-home"} == {"photos"}
