"""Checkpoints are whole or not there."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from zoo.core.errors import UnavailableError, UsageError
from zoo.training import checkpoint


def test_what_is_saved_comes_back(tmp_path):
    arrays = [np.arange(6, dtype="float32").reshape(2, 3), np.array(7, "int64"), np.zeros((0, 2), "uint32")]
    checkpoint.save(tmp_path / "c.npz", arrays, {"epoch": 3, "best": None})
    back, notes = checkpoint.load(tmp_path / "c.npz")
    assert notes == {"epoch": 3, "best": None}
    for before, after in zip(arrays, back, strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


def test_a_full_disk_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    checkpoint.save(path, [np.ones(3)], {"epoch": 1})

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(UnavailableError, match=r"no space left on device.*--resume") as caught:
        checkpoint.save(path, [np.zeros(3)], {"epoch": 2})
    assert "\n" not in str(caught.value)
    assert checkpoint.load(path)[1] == {"epoch": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["c.npz"]


def test_what_is_missing_or_damaged_is_said(tmp_path):
    with pytest.raises(UsageError, match="cannot be resumed"):
        checkpoint.load(tmp_path / "c.npz")
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(UsageError, match="damaged"):
        checkpoint.load(tmp_path / "c.npz")


def test_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "c.npz", **{"00000": np.array([print], dtype=object)}, notes=np.frombuffer(b"{}", "uint8"))
    with pytest.raises(UsageError, match="damaged"):
        checkpoint.load(tmp_path / "c.npz")
