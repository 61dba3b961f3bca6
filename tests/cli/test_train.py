"""``zoo train`` as a person runs it."""

from __future__ import annotations

import csv
import json
import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner

from tests.conftest import ROOT
from tests.training.scratch.test_train import NETWORK, paint
from zoo.cli.train import command

QUICK = (
    "--set",
    "augment={}",
    "--set",
    "precision=float32",
    "--optimizer",
    "adam",
    "--learning-rate",
    "0.01",
    "-b",
    "8",
)


@pytest.fixture
def folder(tmp_path):
    paint(tmp_path / "photos")
    (tmp_path / "net.yaml").write_text(NETWORK)
    return tmp_path


def in_process(command, *arguments):
    """Run a command in this process, where a process of its own proves no more."""
    done = CliRunner().invoke(command, [str(argument) for argument in arguments])
    logging.getLogger("zoo").handlers.clear()
    return SimpleNamespace(returncode=done.exit_code, stdout=done.stdout_bytes, stderr=done.stderr_bytes)


@pytest.fixture
def train(tmp_path, monkeypatch):
    """``zoo train`` in this process, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return partial(in_process, command)


def one_sentence(done):
    lines = [line for line in done.stderr.decode().splitlines() if line.strip()]
    assert "Traceback" not in done.stderr.decode()
    return lines[-1]


def test_two_commands_from_a_description_to_an_answer(zoo, folder):
    done = zoo("train", "net.yaml", "--dataset", "photos", "--epochs", 20, "--min-val-accuracy", 0.8, *QUICK)
    assert done.returncode == 0, done.stderr.decode()
    row = json.loads(done.stdout)
    assert row["run"] == "runs/toy-1"
    assert row["val_top1"] >= 0.8
    assert "epoch 20/20" in done.stderr.decode()
    answer = zoo("classify", "photos/left/0.png", "-m", "runs/toy-1/model.keras")
    assert json.loads(answer.stdout)["predictions"][0]["label"] == "left"
    info = json.loads(zoo("info", "runs/toy-1/model.keras").stdout)
    assert info["classes"] == 3


def test_the_split_of_a_run_is_a_dataset(train, folder):
    first = train("net.yaml", "--dataset", "photos", "-o", "a", "--epochs", 1, *QUICK)
    assert first.returncode == 0, first.stderr.decode()
    again = train("net.yaml", "--dataset", "a/split.csv", "-o", "b", "--epochs", 1, *QUICK)
    assert again.returncode == 0, again.stderr.decode()
    with (folder / "a/split.csv").open() as a, (folder / "b/split.csv").open() as b:
        assert [(r["label"], r["split"]) for r in csv.DictReader(a)] == [
            (r["label"], r["split"]) for r in csv.DictReader(b)
        ]


def test_a_table_of_paths_and_labels_is_a_dataset(zoo, folder):
    rows = [f"{path.parent.name},photos/{path.parent.name}/{path.name}" for path in (folder / "photos").rglob("*.png")]
    (folder / "t.csv").write_text("\ufefflabel,path\n" + "\n".join(rows), encoding="utf-8")
    done = zoo("train", "net.yaml", "--dataset", "t.csv", "-o", "a", "--epochs", 1, *QUICK)
    assert done.returncode == 0, done.stderr.decode()
    with (folder / "a/split.csv").open() as file:
        recorded = list(csv.DictReader(file))
    assert {f"{row['label']},{row['path']}" for row in recorded} == set(rows)
    assert {row["split"] for row in recorded} == {"train", "val"}
    evaluated = zoo("evaluate", "--dataset", "t.csv", "-m", "a/model.keras", "--format", "json")
    assert json.loads(evaluated.stdout)["n"] == len(rows)


def test_labels_at_random_fail_the_gate(train, folder):
    paint(folder / "noise", random_labels=True)
    done = train("net.yaml", "--dataset", "noise", "--epochs", 3, "--min-val-accuracy", 0.9, *QUICK)
    assert done.returncode == 3
    assert "was to be at least 0.9" in one_sentence(done)
    assert (folder / "runs/toy-1/model.keras").is_file()


def test_every_value_of_a_run_is_recorded(train, folder):
    done = train("net.yaml", "--dataset", "photos", "--epochs", 1, "--seed", 5, "--set", "schedule.warmup=0.3", *QUICK)
    assert done.returncode == 0, done.stderr.decode()
    config = yaml.safe_load((folder / "runs/toy-1/config.yaml").read_text())
    assert config["seed"] == 5
    assert config["recipe"]["schedule"]["warmup"] == 0.3
    assert config["recipe"]["optimizer"] == {"name": "adam"}
    assert config["recipe"]["batch_size"] == 8


def interrupted(folder, *arguments):
    """Start the command, press Ctrl-C once it has begun its second epoch, and wait."""
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", "train", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = ""
    for line in process.stderr:
        seen += line
        if "epoch 1/" in line:
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    return process.returncode, out, seen + err


def test_ctrl_c_saves_and_resume_goes_on(zoo, folder):
    status, out, err = interrupted(folder, "net.yaml", "--dataset", "photos", "-o", "run", "--epochs", 400, *QUICK)
    assert status == 130, err
    assert out == ""
    assert "--resume run" in err
    assert {"checkpoint.npz", "config.yaml", "history.csv", "model.keras"} <= {
        file.name for file in (folder / "run").iterdir()
    }
    assert not [file.name for file in (folder / "run").iterdir() if file.name.startswith(".")]
    done = zoo("train", "--resume", "run", "--time", "1s")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["status"] == "time"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "takes a network"),
        (("net.yaml",), "--dataset"),
        (("nett", "--dataset", "photos"), "no model 'nett'"),
        (("net.yaml", "--dataset", "nowhere"), "nowhere"),
        (("net.yaml", "--dataset", "photos", "--recipe", "cifer"), "Did you mean 'cifar'"),
        (("net.yaml", "--dataset", "photos", "--set", "augment.flpi=none"), "flip"),
        (("net.yaml", "--dataset", "photos", "--var", "wdth=3"), "wdth"),
        (("net.yaml", "--dataset", "photos", "--time", "soon"), "90s, 30m"),
        (("--resume", "nowhere"), "no run of zoo"),
        (("net.yaml", "--resume", "nowhere", "--epochs", "3"), "--epochs"),
        (("net.yaml", "--dataset", "photos", "--device", "tpu"), "--device"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(train, folder, arguments, words):
    done = train(*arguments)
    assert done.returncode == 2, done.stderr.decode()
    assert words in one_sentence(done)
    assert done.stdout == b""
    assert not (folder / "runs").exists()


def test_data_that_cannot_be_learnt_from_is_one_sentence(train, folder):
    (folder / "photos" / "empty").mkdir()
    done = train("net.yaml", "--dataset", "photos")
    assert done.returncode == 2
    assert "empty" in one_sentence(done)
    only = folder / "only"
    (only / "cat").mkdir(parents=True)
    (folder / "photos/left/0.png").rename(only / "cat/0.png")
    done = train("net.yaml", "--dataset", "only")
    assert done.returncode == 2
    assert "only" in one_sentence(done)


def test_a_shape_that_does_not_fit_names_the_layer_and_the_line(train, folder):
    (folder / "deep.yaml").write_text(NETWORK.replace("MaxPooling2D: 4", "MaxPooling2D: 40"))
    done = train("deep.yaml", "--dataset", "photos", *QUICK)
    assert done.returncode == 2, done.stderr.decode()
    assert "deep.yaml, line" in one_sentence(done)
    assert not (folder / "runs").exists()
