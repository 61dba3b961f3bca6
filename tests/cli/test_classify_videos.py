"""``zoo classify`` on videos, as a person runs it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.images.video.clips import clip

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = ROOT / "examples"
OPTIONS = ("--every", "1s")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The network is compiled once for all tests here."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def classify(zoo, cache):
    """Run the command as a person would."""

    def run(*arguments, **settings):
        return zoo("classify", "-m", "cifar10-resnet9", *arguments, ZOO_CACHE=str(cache), **settings)

    return run


@pytest.fixture
def film(tmp_path):
    """Two seconds of a ship, one of a car and one of the ship again."""
    names = ("ship.jpg", "car.jpg")
    ship, car = (np.asarray(Image.open(EXAMPLES / name).convert("RGB").resize((160, 120))) for name in names)
    path = tmp_path / "film.mkv"
    path.write_bytes(clip([ship] * 50 + [car] * 25 + [ship] * 25, codec="mjpeg", pixels="yuvj420p", format="matroska"))
    return path


def test_a_video_is_one_line_of_json(classify, film):
    done = classify(EXAMPLES / "car.jpg", film.name, *OPTIONS, "--top", 3)
    assert done.returncode == 0, done.stderr
    image, row = (json.loads(line) for line in done.stdout.splitlines())
    assert "frames" not in image
    assert list(row) == ["path", "status", "model", "device", "engine", "predictions", "frames", "votes"]
    assert (row["path"], row["status"], row["model"]) == ("film.mkv", "ok", "cifar10-resnet9")
    assert [p["label"] for p in row["predictions"]][:2] == ["ship", "automobile"]
    assert row["frames"][2].keys() == {"time", "label", "index", "score"}
    assert [(frame["time"], frame["label"]) for frame in row["frames"]] == [
        (0.0, "ship"),
        (1.0, "ship"),
        (2.0, "automobile"),
        (3.0, "ship"),
    ]
    assert row["votes"] == {"ship": 3, "automobile": 1}


def test_a_video_is_one_row_of_csv(classify, film):
    done = classify(EXAMPLES / "car.jpg", film, *OPTIONS, "--top", 1, "--format", "csv")
    image, row = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert list(row) == ["path", "status", "model", "label1", "index1", "score1", "frames", "error"]
    assert (row["label1"], row["frames"], image["frames"]) == ("ship", "4", "")


def test_a_terminal_shows_when_what_is_seen(classify, film):
    done = classify(film, *OPTIONS, "--top", 1, "--format", "table")
    lines = done.stdout.decode().splitlines()
    assert lines[2:] == ["  0:00–0:01  ship (2 frames)", "  0:02       automobile", "  0:03       ship"]


def test_a_part_that_is_missing_is_exit_1_and_the_rest_is_there(classify, film):
    film.write_bytes(film.read_bytes()[:-9000])
    for format in ("jsonl", "table", "csv"):
        done = classify(film, *OPTIONS, "--format", format)
        assert done.returncode == 1
        assert b"no frame after 0:0" in done.stdout
        assert b"1 of 1 could not be read in whole" in done.stderr
        assert b"Traceback" not in done.stderr
    row = json.loads(classify(film, *OPTIONS).stdout)
    assert row["status"] == "ok"
    assert row["frames"][-1].keys() == {"time", "error"}
    assert row["error"].startswith("no frame after")


def test_without_every_and_what_cannot_be_read(classify, film, tmp_path):
    (tmp_path / "empty.mp4").touch()
    done = classify(film)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "a video; --every 1s takes an image of it each second"
    done = classify(film, tmp_path / "empty.mp4", EXAMPLES / "car.jpg", *OPTIONS)
    assert done.returncode == 1
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == ["ok", "unreadable", "ok"]


def test_every_that_makes_no_sense_is_exit_2(classify, film):
    for text in ("often", "", "0s"):
        done = classify(film, "--every", text)
        assert done.returncode == 2
        assert b"--every takes" in done.stderr


def test_images_alone_with_every(classify):
    done = classify(EXAMPLES / "car.jpg", *OPTIONS)
    assert done.returncode == 0
    assert "frames" not in json.loads(done.stdout)


def test_a_video_out_of_a_pipe(classify, film):
    done = classify("/dev/stdin", *OPTIONS, stdin=film.read_bytes())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["votes"] == {"ship": 3, "automobile": 1}


def test_a_moment_is_a_image(classify, film):
    done = classify(f"{film}#t=2.5")
    assert json.loads(done.stdout)["predictions"][0]["label"] == "automobile"


def test_without_the_library_it_is_exit_4(classify, film, tmp_path):
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "av.py").write_text("raise ImportError")
    done = classify(film, *OPTIONS, PYTHONPATH=f"{tmp_path / 'lacking'}:{ROOT}")
    assert done.returncode == 4
    assert done.stdout == b""
    assert b"pip install 'keras-zoo[video]'" in done.stderr
