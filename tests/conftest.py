"""Fixtures: folders of one's own for every cache, and the real images and weights where they are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A shell that runs tests in the background has them ignore Ctrl-C, and with them what they start and interrupt.
with contextlib.suppress(ValueError):
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    """No test reads or writes a person's caches, and none reaches the network."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo-cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    for name in ("ZOO_CACHE_PATH", "ZOO_WEIGHTS_MIRROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real images and weights; the test skips where it is not there."""
    folder = Path(os.environ.get("ZOO_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the real data of ZOO_TEST_DATA; {folder} is not there")
    return folder


@pytest.fixture
def zoo(tmp_path):
    """Run the installed command as a person would: a process of its own, from another folder."""

    def run(*arguments, stdin=None, cwd=None, **environment):
        return subprocess.run(
            [sys.executable, "-m", "zoo", *map(str, arguments)],
            capture_output=True,
            input=stdin,
            cwd=cwd or tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            timeout=300,
        )

    return run
