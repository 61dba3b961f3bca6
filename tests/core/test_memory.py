from __future__ import annotations

import os

import pytest

from zoo.core import memory


def test_some_memory_is_available():
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < memory.available() <= total


@pytest.mark.parametrize(("limit", "left"), [("1000000", 400_000), ("max", None), ("500000", 0), ("", None)])
def test_a_containers_limit_counts(tmp_path, monkeypatch, limit, left):
    (tmp_path / "max").write_text(limit + "\n")
    (tmp_path / "current").write_text("600000\n")
    monkeypatch.setattr(memory, "_CGROUPS", ())
    without = memory.available()
    monkeypatch.setattr(memory, "_CGROUPS", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    if left is None:
        assert memory.available() == pytest.approx(without, rel=0.2)
    else:
        assert memory.available() == left


def test_a_system_that_tells_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUPS", ((str(tmp_path / "none"), str(tmp_path / "none")),))
    monkeypatch.setattr(memory, "Path", lambda path: tmp_path / "missing")
    assert memory.available() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    monkeypatch.delattr(os, "sysconf")
    assert memory.available() == memory._UNKNOWN
