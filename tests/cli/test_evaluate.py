"""``zoo evaluate`` as a person runs it."""

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
import zipfile

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = ROOT / "examples"
SHIPPED = ("-m", "cifar10-resnet9")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Compiled once for all of these tests."""
    return {"ZOO_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture
def photos(tmp_path):
    for name, file in (("airplane", "airplane.jpg"), ("ship", "ship.jpg"), ("automobile", "car.jpg")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        shutil.copy(EXAMPLES / file, tmp_path / "photos" / name)
    return tmp_path / "photos"


def one_sentence(done):
    lines = [line for line in done.stderr.decode().splitlines() if line.strip()]
    assert "Traceback" not in done.stderr.decode()
    return lines[-1]


def test_json_has_the_keys_that_scripts_rely_on(zoo, photos, cache):
    done = zoo("evaluate", "--dataset", photos, *SHIPPED, **cache)
    assert done.returncode == 0, done.stderr
    about = json.loads(done.stdout)
    assert (about["model"], about["n"], about["top1"], about["top5"]) == ("cifar10-resnet9", 3, 1.0, 1.0)
    assert about["top1_interval"] == [pytest.approx(0.4385, abs=1e-4), 1.0]
    assert about["failed"] == [] and about["engine"] == "openvino"
    assert done.stdout.count(b"\n") == 1


def test_broken_files_cost_themselves_alone(zoo, photos, cache, tmp_path):
    for name in ("empty.jpg", "text.png"):
        (photos / "ship" / name).write_text("" if name == "empty.jpg" else "Dear Sir")
    done = zoo(
        "evaluate", "--dataset", photos, *SHIPPED, "--out-dir", tmp_path / "evaluation", "--format", "table", **cache
    )
    assert done.returncode == 1
    assert "2 of 5 could not be read" in one_sentence(done)
    text = done.stdout.decode()
    assert "3 images" in text and "empty.jpg" in text and "unreadable" in text
    with (tmp_path / "evaluation/predictions.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)].count("unreadable") == 2
    assert (tmp_path / "evaluation/reliability.png").stat().st_size > 1000


def test_a_gate_that_is_not_met_is_exit_3_and_the_figures_are_there(zoo, photos, cache, tmp_path):
    (photos / "cat").mkdir()
    shutil.copy(EXAMPLES / "ship.jpg", photos / "cat")
    target = tmp_path / "evaluation.csv"
    done = zoo("evaluate", "--dataset", photos, *SHIPPED, "--min-top1", 0.9, "-o", target, **cache)
    assert done.returncode == 3
    assert "at least 0.9. Received: 0.7500" in one_sentence(done)
    (row,) = csv.DictReader(io.StringIO(target.read_text()))
    assert (row["top1"], row["failed"]) == ("0.75", "0")
    assert zoo("evaluate", "--dataset", photos, *SHIPPED, "--min-top1", 0.7, **cache).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--dataset"),
        (("--dataset", "photos"), "--model"),
        (("--dataset", "nowhere", *SHIPPED), "no dataset nowhere"),
        (("--dataset", "photos", "-m", "resnt50"), "resnet50"),
        (("--dataset", "photos", *SHIPPED, "--split", "test"), "it has no parts"),
        (("--dataset", "photos", *SHIPPED, "--store-temperature"), ".keras file"),
        (("--dataset", "photos", *SHIPPED, "--calibrate-on", "photos"), "also those to calibrate on"),
        (("--dataset", "photos", *SHIPPED, "--abstain-precision", "0"), "--abstain-precision"),
        (("--dataset", "photos", *SHIPPED, "--labels", "none.csv"), "none.csv"),
        (("--dataset", "hollow", *SHIPPED), "has no images"),
        (("--dataset", "odd", *SHIPPED), "'shipp'"),
        (("--dataset", "photos", *SHIPPED, "--out-dir", "photos/ship/ship.jpg"), "is a file"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(zoo, photos, cache, tmp_path, arguments, words):
    (tmp_path / "hollow/ship").mkdir(parents=True)
    shutil.copytree(photos / "ship", tmp_path / "odd/shipp")
    done = zoo("evaluate", *arguments, **cache)
    assert done.returncode == 2, done.stderr
    assert words in one_sentence(done)
    assert done.stdout == b""


def test_weights_that_are_not_here_are_exit_4(zoo, photos, cache):
    done = zoo("evaluate", "--dataset", photos, "-m", "resnet50", "--offline", **cache)
    assert done.returncode == 4
    assert "zoo pull resnet50" in one_sentence(done)


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written(tmp_path, cache):
    (tmp_path / "photos/ship").mkdir(parents=True)
    for number in range(4000):
        (tmp_path / f"photos/ship/{number}.jpg").symlink_to(EXAMPLES / "ship.jpg")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "zoo",
            "evaluate",
            "--dataset",
            "photos",
            *SHIPPED,
            "-o",
            "a.json",
            "--out-dir",
            "evaluation",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **cache},
    )
    time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == b"zoo: interrupted"
    assert b"Traceback" not in errors and out == b""
    assert {path.name for path in tmp_path.iterdir()} - {"keras-home"} == {"photos"}


@pytest.mark.slow
def test_a_trained_network_is_evaluation_calibrated_and_remembers(zoo, tmp_path, cache):
    """From training to a temperature that classify uses; each judgement has the accuracy that training measured."""
    from tests.training.scratch.test_train import NETWORK, paint

    folder = paint(tmp_path / "photos")
    # Some labels are wrong, so that no network can be right and sure of everything.
    for number in range(0, 20, 3):
        (folder / f"left/{number}.png").rename(folder / "swap.png")
        (folder / f"right/{number}.png").rename(folder / f"left/{number}.png")
        (folder / "swap.png").rename(folder / f"right/{number}.png")
    (tmp_path / "net.yaml").write_text(NETWORK)
    quick = ("--epochs", 12, "--set", "augment={}", "--optimizer", "adam", "--learning-rate", 0.01, "-b", 8)
    done = zoo("train", "net.yaml", "--dataset", "photos", "--test-split", 0.3, "-o", "run", *quick, **cache)
    assert done.returncode == 0, done.stderr
    measured = json.loads((tmp_path / "run/metrics.json").read_text())
    judge = ("evaluate", "--dataset", "run/split.csv", "-m", "run/model.keras")
    for split in ("val", "test"):
        evaluation = zoo(*judge, "--split", split, **cache)
        assert json.loads(evaluation.stdout)["top1"] == pytest.approx(measured[split]["top1"]), evaluation.stderr
    whole = zoo("evaluate", "--dataset", "photos", "-m", "run/model.keras", **cache)
    assert b"was trained on images of" in whole.stderr
    done = zoo(*judge, "--store-temperature", "-o", "a.json", **cache)
    assert done.returncode == 0, done.stderr
    fitted = json.loads((tmp_path / "a.json").read_text())["calibration"]
    with zipfile.ZipFile(tmp_path / "run/model.keras") as archive:
        assert json.loads(archive.read("zoo.json"))["temperature"] == fitted["temperature"] != 1
    again = zoo(*judge, **cache)
    about = json.loads(again.stdout)
    assert about["temperature"] == fitted["temperature"]
    assert about["ece"] == pytest.approx(fitted["ece"], abs=1e-5)
