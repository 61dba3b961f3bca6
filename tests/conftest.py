"""Fixtures: caches of their own for every test, and the real images and weights where they are."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples in every run and on every machine, and no limit on how long one takes.
settings.register_profile("zoo", derandomize=True, deadline=None)
settings.load_profile("zoo")

# A shell that runs tests in the background makes them ignore Ctrl-C, and so do the processes that they interrupt.
with contextlib.suppress(ValueError):
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    """No test reads or writes a user's caches, or uses the internet."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo-cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    for name in ("ZOO_CACHE_PATH", "ZOO_WEIGHTS_MIRROR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real images and weights; the test is skipped if it does not exist."""
    folder = Path(os.environ.get("ZOO_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs real data: set ZOO_TEST_DATA; {folder} does not exist")
    return folder


@pytest.fixture(scope="session")
def compiled_cache(tmp_path_factory) -> Path:
    """A ``ZOO_CACHE`` in which the shipped network is compiled, once for all worker processes of a session."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    cache = shared / "compiled-cache"
    with FileLock(f"{cache}.lock"):
        if not (cache / "compiled").is_dir():
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "ZOO_CACHE": str(cache), "ZOO_OFFLINE": "1"}
            for command in (["classify"], ["features", "-o", str(shared / "compiled-cache.h5")]):
                arguments = [*command, str(ROOT / "examples"), "-m", "cifar10-resnet9", "-q"]
                run = [sys.executable, "-m", "zoo", *arguments]
                subprocess.run(run, env=environment, check=True, capture_output=True, timeout=300)
    return cache


@pytest.fixture
def warm_cache(own_caches, compiled_cache, tmp_path_factory, monkeypatch) -> Path:
    """Give the test a copy of the cache with the shipped network, so that it does not compile it again."""
    cache = tmp_path_factory.mktemp("warm") / "zoo-cache"
    monkeypatch.setenv("ZOO_CACHE", str(cache))
    return Path(shutil.copytree(compiled_cache, cache))


@pytest.fixture
def zoo(tmp_path):
    """Run the command as a user would: in a process of its own, from another folder."""

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
