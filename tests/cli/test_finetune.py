"""``zoo finetune`` as a person runs it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.cli.test_train import in_process, one_sentence
from tests.conftest import ROOT
from tests.training.finetuning.toys import NETWORK, paint
from zoo.cli.finetune import command

QUICK = ("--set", "augment={flip: horizontal}", "--set", "precision=float32", "--set", "views=2", "-b", 8)
HEAD = ("--mode", "head", "--epochs", 6, "--learning-rate", 0.01, *QUICK)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for all of them, so that the trained network is compiled once."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def finetune(zoo, cache):
    """Run the command on the small network that comes with zoo."""

    def run(*arguments, **settings):
        return zoo("finetune", "-m", NETWORK, *arguments, ZOO_CACHE=cache, **settings)

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """``zoo finetune`` in this process, in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return partial(in_process, command)


@pytest.fixture
def photos(tmp_path):
    return paint(tmp_path / "photos")


@pytest.mark.slow
def test_two_commands_from_a_folder_to_an_answer(zoo, finetune, photos, tmp_path, cache):
    done = finetune("--dataset", "photos", "--min-val-accuracy", 0.9, *HEAD)
    assert done.returncode == 0, done.stderr.decode()
    row = json.loads(done.stdout)
    assert row["run"] == f"runs/{NETWORK}-1"
    assert row["val_top1"] >= 0.9
    answer = zoo("classify", "photos/green/0.png", "-m", f"runs/{NETWORK}-1/model.keras", ZOO_CACHE=cache)
    assert json.loads(answer.stdout)["predictions"][0]["label"] == "green"
    page = (tmp_path / "runs" / f"{NETWORK}-1" / "report.html").read_text()
    assert "zoo finetune" in page
    again = zoo(
        "evaluate", "--dataset", f"runs/{NETWORK}-1/split.csv", "-m", f"runs/{NETWORK}-1/model.keras", ZOO_CACHE=cache
    )
    assert json.loads(again.stdout)["top1"] == pytest.approx(row["val_top1"], abs=1e-4)


@pytest.mark.slow
def test_a_table_of_paths_and_labels_is_a_dataset(finetune, photos, tmp_path):
    rows = [f"{path.relative_to(tmp_path)},{path.parent.name}" for path in photos.rglob("*.png")]
    (tmp_path / "t.csv").write_text("path,label\n" + "\n".join(rows))
    done = finetune("--dataset", "t.csv", "-o", "a", *HEAD)
    assert done.returncode == 0, done.stderr.decode()
    with (tmp_path / "a/split.csv").open() as file:
        assert {f"{row['path']},{row['label']}" for row in csv.DictReader(file)} == set(rows)


@pytest.mark.slow
def test_random_labels_do_not_pass_the_gate(finetune, tmp_path):
    paint(tmp_path / "photos", random_labels=True)
    done = finetune("--dataset", "photos", "--min-val-accuracy", 0.9, *HEAD)
    assert done.returncode == 3
    assert "was to be at least 0.9, and it is 0." in one_sentence(done)
    # The result is there all the same.
    assert json.loads(done.stdout)["val_top1"] < 0.9


@pytest.mark.slow
def test_ctrl_c_saves_and_resume_goes_on_to_the_same_end(zoo, finetune, photos, tmp_path, cache):
    rest = ("--mode", "partial", "--unfreeze-from", "stage3", "--epochs", 2, "--set", "phases.head.epochs=40", *QUICK)
    whole = finetune("--dataset", "photos", "-o", "whole", *rest)
    assert whole.returncode == 0, whole.stderr.decode()
    command = [sys.executable, "-m", "zoo", "finetune", "-m", NETWORK, "--dataset", "photos", "-o", "part", *rest]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ZOO_CACHE": cache}
    process = subprocess.Popen(
        [str(part) for part in command], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "epoch 3/" in line:
            process.send_signal(signal.SIGINT)
            break
    rest_of_it = process.stderr.read()
    assert process.wait(60) == 130
    assert "zoo finetune --resume part" in rest_of_it
    again = zoo("finetune", "--resume", "part", ZOO_CACHE=cache)
    assert again.returncode == 0, again.stderr.decode()
    histories = []
    for run in ("whole", "part"):
        with (tmp_path / run / "history.csv").open() as lines:
            histories.append([row["val_loss"] for row in csv.DictReader(lines)])
    assert histories[0] == histories[1]


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(zoo, finetune, photos, tmp_path, cache):
    rest = ("--mode", "head", "--set", "phases.head.epochs=4000", *QUICK)
    command = [sys.executable, "-m", "zoo", "finetune", "-m", NETWORK, "--dataset", "photos", "-o", "part", *rest]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ZOO_CACHE": cache}
    process = subprocess.Popen(
        [str(part) for part in command], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    checkpoint = tmp_path / "part" / "checkpoint.npz"
    limit = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < limit:
        time.sleep(0.2)
    time.sleep(1.0)
    process.kill()
    process.wait(30)
    again = zoo("finetune", "--resume", "part", "--time", "1s", ZOO_CACHE=cache)
    assert again.returncode == 0, again.stderr.decode()
    assert json.loads(again.stdout)["status"] == "time"


@pytest.mark.slow
def test_a_dry_run_says_what_would_be_done_and_does_nothing(finetune, photos, tmp_path):
    done = finetune("--dataset", "photos", "--dry-run", "--format", "json", *QUICK)
    assert done.returncode == 0, done.stderr.decode()
    rows = json.loads(done.stdout)
    assert [row["phase"] for row in rows] == ["head", "partial"]
    assert rows[0]["parameters"] < rows[1]["parameters"]
    assert all(row["training_seconds"] > 0 and row["stored_mb"] > 0 for row in rows)
    assert "seconds in all" in done.stderr.decode()
    assert not (tmp_path / "runs").exists()


def test_without_images_it_says_what_it_takes(here):
    done = here("-m", NETWORK)
    assert done.returncode == 2
    assert "takes --dataset" in one_sentence(done)


def test_resume_takes_nothing_else(here, tmp_path):
    done = here("--resume", "run", "--epochs", 3)
    assert done.returncode == 2
    assert "takes no --epochs" in one_sentence(done)


def test_a_class_with_one_image_is_said(here, photos):
    for number in range(1, 20):
        (photos / "red" / f"{number}.png").unlink()
    done = here("-m", NETWORK, "--dataset", "photos", *HEAD)
    assert done.returncode == 2
    assert "'red'" in one_sentence(done)


def test_validation_images_of_another_class_are_said(here, tmp_path):
    paint(tmp_path / "photos" / "train")
    paint(tmp_path / "photos" / "val")
    (tmp_path / "photos" / "val" / "red").rename(tmp_path / "photos" / "val" / "white")
    done = here("-m", NETWORK, "--dataset", "photos", *HEAD)
    assert done.returncode == 2
    assert "'white'" in one_sentence(done)


def test_weights_that_are_not_here_end_with_4(here, photos):
    done = here("--dataset", "photos", "-m", "vgg16")
    assert done.returncode == 4
    assert "zoo cache import" in one_sentence(done)


def test_without_weights_at_all_nothing_is_chosen_in_silence(here, photos):
    done = here("--dataset", "photos")
    assert done.returncode == 4
    assert "No ImageNet weights are available to begin with" in one_sentence(done)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "heads"), "heads"),
        (("--set", "phases.hed.epochs=3"), "no phase 'hed'"),
        (("--set", "views=65"), "from 0 to 64"),
        (("--set", "head.pol=avg"), "Did you mean 'pool'"),
        (("--mode", "head", "--unfreeze-from", "stage3"), "auto and partial"),
        (("--alpha", 0.5), "go with a --teacher"),
        (("--recipe", "vgg16-block6"), "Did you mean 'vgg16-block5'"),
        (("--time", "0s"), "above 0"),
    ],
)
def test_what_makes_no_sense_is_said(here, photos, tmp_path, arguments, words):
    done = here("-m", NETWORK, "--dataset", "photos", *arguments)
    assert done.returncode == 2
    assert words in one_sentence(done)
    assert not (tmp_path / "runs").exists()
