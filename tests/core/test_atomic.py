"""Files appear under their name only when they are complete."""

import os
import stat

import pytest

from zoo.core import atomic


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "f.json"
    target.write_text("old")
    atomic.write(target, "néw")
    assert target.read_text(encoding="utf-8") == "néw"
    atomic.write(target, memoryview(b"bytes"), sync=True)
    assert target.read_bytes() == b"bytes"
    assert os.listdir(tmp_path) == ["f.json"]


def test_an_error_leaves_the_old_file(tmp_path):
    target = tmp_path / "f.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic.replacing(target) as temporary:
        temporary.write_text("half")
        assert temporary.suffix == ".csv"
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["f.csv"]


def test_the_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    atomic.write(tmp_path / "made", b"")
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic.write(tmp_path / "missing" / "f", b"")


def test_every_file_of_a_folder_is_synced(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for name in ("a", "b"):
        (tmp_path / name).touch()
    atomic.sync(tmp_path)
    assert len(synced) == 2
