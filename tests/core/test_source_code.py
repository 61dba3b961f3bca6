"""Digests of source code: every file counts, and nothing is imported."""

from __future__ import annotations

import hashlib
import sys

import pytest

from zoo.core import source_code

EMPTY = hashlib.sha256().hexdigest()[:20]


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "somebody" / "networks"
    folder.mkdir(parents=True)
    for name in ("../__init__.py", "__init__.py", "small.py"):
        (folder / name).write_text("raise ImportError\n")
    monkeypatch.syspath_prepend(tmp_path)
    source_code.digest.cache_clear()
    yield folder
    source_code.digest.cache_clear()


def test_a_change_in_any_file_of_a_package_changes_the_digest(package):
    digests = set()
    for text in ("a = 1", "a = 2"):
        (package / "small.py").write_text(text)
        source_code.digest.cache_clear()
        digests |= {source_code.digest(name) for name in ("somebody", "somebody.networks", "somebody.networks.small")}
    # The whole package has one more file than its part.
    assert len(digests) == 6
    assert EMPTY not in digests
    assert "somebody" not in sys.modules


def test_the_code_of_zoo_is_found_wherever_it_is_installed():
    digests = {source_code.digest(name) for name in ("zoo.models", "zoo.core.spec", "zoo.engines.openvino")}
    assert len(digests) == 3
    assert EMPTY not in digests


@pytest.mark.parametrize("name", ["no_such_package.module", "zoo.no_such_module", "sys"])
def test_what_has_no_source_is_empty(name):
    assert source_code.digest(name) == EMPTY
