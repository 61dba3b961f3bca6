"""``zoo classify`` as a person runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.drawn import broken_files

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = ROOT / "examples"
SHIPPED = ("-m", "cifar10-resnet9")
NAMES = {"airplane.jpg": "airplane", "ship.jpg": "ship", "car.jpg": "automobile"}


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_examples_are_what_they_show(zoo):
    done = zoo("classify", *(EXAMPLES / name for name in NAMES), *SHIPPED)
    assert done.returncode == 0, done.stderr
    assert [row["predictions"][0]["label"] for row in rows(done)] == list(NAMES.values())


def test_json_lines_are_the_contract(zoo):
    done = zoo("classify", EXAMPLES / "ship.jpg", *SHIPPED, "--top", 3)
    (row,) = rows(done)
    assert row["path"] == str(EXAMPLES / "ship.jpg")
    assert (row["status"], row["model"], row["device"], row["engine"]) == ("ok", "cifar10-resnet9", "cpu", "openvino")
    assert len(row["predictions"]) == 3
    scores = [prediction["score"] for prediction in row["predictions"]]
    assert scores == sorted(scores, reverse=True)
    assert row["predictions"][0].keys() == {"label", "index", "score"}
    assert b"zoo:" not in done.stdout


def test_without_weights_the_shipped_network_answers_and_one_line_says_so(zoo):
    done = zoo("classify", EXAMPLES / "ship.jpg", "-q")
    assert done.returncode == 0
    assert rows(done)[0]["model"] == "cifar10-resnet9"
    assert done.stderr.count(b"\n") == 1
    assert b"no ImageNet weights" in done.stderr


def test_a_network_without_weights_here_is_exit_4_and_says_what_to_do(zoo):
    done = zoo("classify", EXAMPLES / "ship.jpg", "-m", "resnet50", "--offline")
    assert done.returncode == 4
    assert done.stdout == b""
    assert b"zoo pull resnet50" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-m", "resnt50"], b"resnet50"),
        (["-m", "cifar10-resnet9:imagenet"], b"cifar10"),
        (["-m", "missing.keras"], b"missing.keras"),
        ([*SHIPPED, "--top", "0"], b"--top"),
        ([*SHIPPED, "--threshold", "2"], b"--threshold"),
        ([*SHIPPED, "--device", "tpu"], b"tpu"),
        ([*SHIPPED, "--engine", "onnx"], b"onnx"),
        ([*SHIPPED, "-b", "0"], b"--batch-size"),
        ([*SHIPPED, "--format", "xml"], b"xml"),
    ],
)
def test_usage_errors_are_exit_2(zoo, arguments, says):
    done = zoo("classify", EXAMPLES / "ship.jpg", *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert says in done.stderr


def test_a_gpu_that_is_not_there_is_exit_4(zoo):
    done = zoo("classify", EXAMPLES / "ship.jpg", *SHIPPED, "--device", "gpu:9")
    assert done.returncode == 4
    assert b"gpu:9" in done.stderr


def test_broken_files_cost_themselves_alone(zoo, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    broken = broken_files(folder)
    assert len(broken) >= 15
    inputs = []
    for number, path in enumerate(broken.values()):
        good = folder / f"good{number}.png"
        Image.new("RGB", (40, 30), (number, 120, 200)).save(good)
        inputs += [good, path]
    done = zoo("classify", "-", *SHIPPED, stdin=b"\0".join(os.fsencode(path) for path in inputs))
    assert done.returncode == 1
    found = rows(done)
    assert [row["path"] for row in found] == [str(path) for path in inputs]
    assert [row["status"] for row in found] == ["ok", "unreadable"] * len(broken)
    assert all(row["error"] and "predictions" not in row for row in found[1::2])
    assert b"Traceback" not in done.stderr


def test_only_broken_files_still_give_their_rows(zoo, tmp_path):
    (tmp_path / "empty.jpg").touch()
    done = zoo("classify", tmp_path / "empty.jpg", tmp_path / "not there.jpg", *SHIPPED)
    assert done.returncode == 1
    assert [row["status"] for row in rows(done)] == ["unreadable", "unreadable"]


def test_names_that_are_not_utf8(zoo, tmp_path):
    name = os.fsencode(tmp_path) + b"/bad\xff.png"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", name)
    for format in ("jsonl", "json", "csv", "table"):
        done = zoo("classify", os.fsdecode(name), *SHIPPED, "--format", format)
        assert done.returncode == 0, done.stderr
    (row,) = rows(zoo("classify", os.fsdecode(name), *SHIPPED))
    assert os.fsencode(row["path"]) == name


def test_threshold_says_unknown(zoo, tmp_path):
    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "noise.png")
    done = zoo("classify", tmp_path / "noise.png", *SHIPPED, "--threshold", "1.0")
    assert rows(done)[0]["label"] == "unknown"
    done = zoo("classify", tmp_path / "noise.png", *SHIPPED, "--threshold", "1.0", "--format", "table")
    assert b"unknown" in done.stdout


def test_csv_has_one_row_a_image(zoo, tmp_path):
    done = zoo("classify", EXAMPLES / "ship.jpg", tmp_path / "no.jpg", *SHIPPED, "--top", 2, "--format", "csv")
    first, second = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert (first["status"], first["label1"], second["status"], second["label1"]) == ("ok", "ship", "unreadable", "")
    assert second["error"]


def test_output_goes_to_a_file_by_its_suffix(zoo, tmp_path):
    target = tmp_path / "answers.json"
    done = zoo("classify", EXAMPLES / "ship.jpg", *SHIPPED, "-o", target)
    assert done.stdout == b""
    assert json.loads(target.read_text())[0]["predictions"][0]["label"] == "ship"


def test_both_engines_agree(zoo):
    answers = [
        rows(zoo("classify", EXAMPLES, *SHIPPED, "--engine", engine, "--top", 10)) for engine in ("openvino", "keras")
    ]
    for one, two in zip(*answers, strict=True):
        scores = [{p["index"]: p["score"] for p in row["predictions"]} for row in (one, two)]
        assert max(abs(scores[0][index] - scores[1][index]) for index in range(10)) < 1e-4
    assert (answers[0][0]["engine"], answers[1][0]["engine"]) == ("openvino", "keras")


def test_a_closed_pipe_is_no_error(zoo, tmp_path):
    listed = "\n".join([str(EXAMPLES / "ship.jpg")] * 400)
    (tmp_path / "list").write_text(listed)
    command = f"{sys.executable} -m zoo classify - -m cifar10-resnet9 -q < list | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def test_ctrl_c_leaves_nothing_half_written(tmp_path):
    target = tmp_path / "answers.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", "classify", "-", *SHIPPED, "-o", str(target)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    line = os.fsencode(EXAMPLES / "ship.jpg") + b"\n"
    for _ in range(200):
        process.stdin.write(line)
    process.stdin.flush()
    deadline = time.monotonic() + 60
    # The temporary file appears once classifying has begun.
    while not list(tmp_path.glob(".answers*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == b"zoo: interrupted"
    assert b"Traceback" not in errors
    assert not target.exists()
    assert not list(tmp_path.glob(".answers*"))


def test_a_plain_keras_file_is_a_model(zoo, tmp_path):
    make = (
        "import keras; from keras import layers; keras.utils.set_random_seed(1);"
        "keras.Sequential([keras.Input((24, 32, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3),"
        "layers.GlobalAveragePooling2D(), layers.Dense(3, activation='softmax')]).save('mine.keras')"
    )
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True, capture_output=True)
    answers = [
        rows(zoo("classify", EXAMPLES / "ship.jpg", "-m", "mine.keras", "--engine", engine))[0]
        for engine in ("openvino", "keras")
    ]
    assert answers[0]["model"] == "mine"
    assert {p["label"] for p in answers[0]["predictions"]} == {"0", "1", "2"}
    for one, two in zip(*(answer["predictions"] for answer in answers), strict=True):
        assert one["label"] == two["label"]
        assert abs(one["score"] - two["score"]) < 1e-4
