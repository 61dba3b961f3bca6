"""``zoo features`` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.drawn import broken_files, drawing

pytestmark = pytest.mark.usefixtures("warm_cache")

SHIPPED = ("-m", "cifar10-resnet9")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One compiled network for all tests here."""
    return {"ZOO_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Twelve images, named so that the order in which people count is not that of the alphabet."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(1, 13):
        Image.fromarray(np.roll(drawing(), 3 * number, axis=1)).save(folder / f"{number}.png")
    return folder


def result(done):
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    return row


def test_the_file_is_the_contract(zoo, photos, cache, tmp_path):
    done = zoo("features", photos, *SHIPPED, "-o", "f.h5", **cache)
    assert done.returncode == 0, done.stderr
    row = result(done)
    assert (row["output"], row["n"], row["failed"], row["shape"]) == ("f.h5", 12, 0, [256])
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["features"].shape == (12, 256)
        assert file["features"].dtype == np.float32
        assert [os.path.basename(path) for path in file["paths"].asstr()] == [f"{n}.png" for n in range(1, 13)]
        assert len(file["failed_paths"]) == len(file["failed_errors"]) == 0
        assert file.attrs["model"] == "cifar10-resnet9"
        for name in ("layer", "pool", "preprocessing", "weights_digest", "zoo_version"):
            assert name in file.attrs
    assert os.listdir(tmp_path).count("f.h5.part") == 0


def test_failures_are_recorded_and_cost_only_themselves(zoo, photos, cache, tmp_path):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for file in photos.iterdir():
        (mixed / file.name).write_bytes(file.read_bytes())
    broken = broken_files(mixed)
    done = zoo("features", mixed, *SHIPPED, "-o", "f.h5", **cache)
    assert done.returncode == 1
    assert b"could not be read; f.h5 names them" in done.stderr
    with h5py.File(tmp_path / "f.h5") as file:
        kept = {os.path.basename(path) for path in file["paths"].asstr()}
        failed = {os.path.basename(path) for path in file["failed_paths"].asstr()}
        assert all(file["failed_errors"].asstr()[:])
    assert {file.name for file in photos.iterdir()} <= kept
    assert kept | failed == set(os.listdir(mixed))
    assert failed == {path.name for path in broken.values()}


def test_what_is_there_is_not_replaced_unless_asked(zoo, photos, cache, tmp_path):
    (tmp_path / "f.npy").write_bytes(b"mine")
    done = zoo("features", photos / "1.png", *SHIPPED, "-o", "f.npy", **cache)
    assert done.returncode == 2
    assert b"f.npy exists; --update adds" in done.stderr
    assert (tmp_path / "f.npy").read_bytes() == b"mine"
    assert zoo("features", photos / "1.png", *SHIPPED, "-o", "f.npy", "--overwrite", **cache).returncode == 0
    assert np.load(tmp_path / "f.npy").shape == (1, 256)


def test_update_adds_what_is_new_and_computes_nothing_else(zoo, photos, cache, tmp_path):
    growing = tmp_path / "growing"
    growing.mkdir()
    for number in (1, 3):
        (growing / f"{number}.png").write_bytes((photos / f"{number}.png").read_bytes())
    assert result(zoo("features", growing, *SHIPPED, "-o", "f.h5", **cache))["new"] == 2
    (growing / "2.png").write_bytes((photos / "2.png").read_bytes())
    updated = result(zoo("features", growing, *SHIPPED, "-o", "f.h5", "--update", **cache))
    assert (updated["new"], updated["n"]) == (1, 3)
    assert zoo("features", photos, *SHIPPED, "-o", "whole.h5", **cache).returncode == 0
    with h5py.File(tmp_path / "f.h5") as file, h5py.File(tmp_path / "whole.h5") as whole:
        assert [os.path.basename(path) for path in file["paths"].asstr()] == ["1.png", "3.png", "2.png"]
        np.testing.assert_allclose(file["features"][:], whole["features"][:][[0, 2, 1]], rtol=1e-4, atol=1e-5)


def test_another_layer_does_not_go_on_with_a_file(zoo, photos, cache):
    assert zoo("features", photos, *SHIPPED, "-o", "f.h5", **cache).returncode == 0
    for mode in ("--update", "--resume"):
        done = zoo("features", photos, *SHIPPED, "-l", "stage1", "-o", "f.h5", mode, **cache)
        assert done.returncode == 2
        assert b"f.h5 was made with layer" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("-l", "stage1_ress", "-o", "f.h5"), 2, b"Did you mean"),
        (("-o", "f.xyz"), 2, b"f.xyz"),
        (("-o", "none/f.h5"), 4, b"none"),
        (("--pool", "none", "-l", "stage1", "-o", "f.csv"), 2, b"f.csv cannot hold maps"),
        (("-o", "f.h5", "--engine", "openvino", "--device", "gpu"), 4, b"GPU"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing_behind(zoo, photos, cache, tmp_path, arguments, status, sentence):
    done = zoo("features", photos, *SHIPPED, *arguments, "-q", **cache)
    assert done.returncode == status, done.stderr
    assert done.stdout == b""
    assert sentence in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith("f.")]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_interrupted_goes_on_and_gives_the_same_file(zoo, photos, cache, tmp_path, how):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(1500):
        os.link(photos / f"{number % 12 + 1}.png", many / f"{number}.png")
    (many / "700.png").unlink()
    (many / "700.png").write_bytes(b"no image")
    assert zoo("features", many, *SHIPPED, "-o", "whole.h5", **cache).returncode == 1

    command = [sys.executable, "-m", "zoo", "features", str(many), *SHIPPED, "-o", "f.h5"]
    environment = {**os.environ, **cache, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    log = tmp_path / "f.h5.part" / "rows.jsonl"
    deadline = time.monotonic() + 60
    while not (log.is_file() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), said
    assert not (tmp_path / "f.h5").exists()
    if how == signal.SIGINT:
        assert b"--resume to continue" in said

    refused = zoo("features", many, *SHIPPED, "-o", "f.h5", **cache)
    assert refused.returncode == 2
    assert b"--resume" in refused.stderr
    row = result(zoo("features", many, *SHIPPED, "-o", "f.h5", "--resume", **cache))
    assert 0 < row["new"] < 1500
    assert (row["n"], row["failed"]) == (1499, 1)
    assert (tmp_path / "f.h5").read_bytes() == (tmp_path / "whole.h5").read_bytes()
    assert result(zoo("features", many, *SHIPPED, "-o", "f.h5", "--resume", **cache))["new"] == 0
