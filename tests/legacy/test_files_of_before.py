"""Files made by zoo 0.1.0, before its modules moved, still open: networks, runs, feature files, caches.

``made_by_0.1.0.zip`` was written by that version in a folder of its own: 32 drawn images of two colours, a network
described in ``tiny.yaml`` and trained on them (``run``), one that was stopped by Ctrl-C (``stopped``), one that was
fine-tuned (``tuned``), the features of eight images in every format, and the answers that it gave.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("warm_cache")

ARCHIVE = Path(__file__).with_name("made_by_0.1.0.zip")
#: When the images were last changed, which feature files record.
MODIFIED = 1_700_000_000
FEATURES = ["f.h5", "f.npy", "f.npz", "f.csv", "f.parquet", "f.projector"]


@pytest.fixture
def before(tmp_path, monkeypatch):
    """The folder as the version before left it, which is also where commands run."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    for image in tmp_path.glob("photos/*/*/*.png"):
        os.utime(image, (MODIFIED, MODIFIED))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_trained_network_and_its_cache_give_the_same_answers(before, zoo):
    done = zoo("classify", "photos/val", "-r", "-m", "run/model.keras", "--format", "jsonl", cwd=before)
    assert done.returncode == 0, done.stderr
    now, then = lines(done.stdout), lines((before / "classified.jsonl").read_text())
    assert [row["path"] for row in now] == [row["path"] for row in then]
    for row, known in zip(now, then, strict=True):
        assert [p["label"] for p in row["predictions"]] == [p["label"] for p in known["predictions"]]
        assert [p["score"] for p in row["predictions"]] == pytest.approx(
            [p["score"] for p in known["predictions"]], abs=2e-6
        )


def test_runs_are_models_and_can_be_evaluated(before, zoo):
    for run in ("run", "tuned"):
        done = zoo("evaluate", "--dataset", "photos", "-m", f"{run}/model.keras", "--format", "json", cwd=before)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        report = report[0] if isinstance(report, list) else report
        assert report["n"] == 8
        known = json.loads((before / run / "metrics.json").read_text())["val"]["top1"]
        assert report["top1"] == pytest.approx(known)


def test_a_stopped_run_is_resumed(before, zoo):
    epochs = len((before / "stopped" / "history.csv").read_text().splitlines()) - 1
    config = before / "stopped" / "config.yaml"
    config.write_text(
        config.read_text()
        .replace("/example/photos", str(before / "photos"))
        .replace("epochs: 3000", f"epochs: {epochs + 2}")
    )
    done = zoo("train", "--resume", "stopped", cwd=before)
    assert done.returncode == 0, done.stderr
    assert len((before / "stopped" / "history.csv").read_text().splitlines()) - 1 == epochs + 2


@pytest.mark.parametrize("name", FEATURES)
def test_feature_files_are_read(before, name):
    import numpy as np

    from zoo.vectors import open_vectors

    if name == "f.parquet":
        pytest.importorskip("pyarrow")
    with open_vectors(before / "f.h5") as first, open_vectors(before / name) as other:
        assert list(other.paths) == list(first.paths)
        assert other.about["weights_digest"] == first.about["weights_digest"]
        for (_, one), (_, two) in zip(first.blocks(), other.blocks(), strict=True):
            assert np.allclose(one, two)


def test_search_answers_as_it_did(before, zoo):
    done = zoo("search", "photos/val/red/0.png", "--index", "f.h5", "--format", "json", cwd=before)
    assert done.returncode == 0, done.stderr
    (now,), (then,) = json.loads(done.stdout), json.loads((before / "search.json").read_text())
    assert [match["path"] for match in now["matches"]][4:] == [match["path"] for match in then["matches"]][4:]
    assert [match["score"] for match in now["matches"]] == pytest.approx(
        [match["score"] for match in then["matches"]], abs=2e-6
    )


@pytest.mark.parametrize("name", ["shipped.h5", "shipped.npz"])
def test_a_feature_file_is_updated_and_not_made_anew(before, name, zoo):
    arguments = ("features", "photos/train/red", "photos/val", "-r", "-m", "cifar10-resnet9", "-o", name, "--update")
    done = zoo(*arguments, "--format", "json", cwd=before)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    report = report[0] if isinstance(report, list) else report
    assert (report["n"], report["new"]) == (20, 12)
