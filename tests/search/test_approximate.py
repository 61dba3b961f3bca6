"""The index finds nearly all neighbours, is built once for a file, and is never there by half."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest

from tests.search.files import opened, write
from zoo.core import artifacts
from zoo.core.errors import UnavailableError
from zoo.search import approximate, exact
from zoo.vectors import open_vectors

pytest.importorskip("usearch")


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch):
    monkeypatch.setattr(approximate, "LEAST", 100)


@pytest.fixture(scope="module")
def vectors():
    """Vectors that lie near a space of a few dimensions, as those of images do."""
    numbers = np.random.default_rng(0)
    within = numbers.standard_normal((2000, 24)) @ numbers.standard_normal((24, 200))
    return (within + 0.5 * numbers.standard_normal((2000, 200))).astype(np.float32)


def folders():
    return [entry.folder for entry in artifacts.entries("neighbours")]


def test_nearly_all_neighbours_with_their_exact_scores(tmp_path, vectors):
    queries = vectors[:200] + 0.1
    with opened(tmp_path / "f.h5", vectors) as file:
        index = approximate.open_index(file)
        near = exact.rank(file, queries, index.candidates(queries, 10), 10, "cosine")
        right = exact.nearest(file, queries, 10)
        single = index.candidates(queries[:1], 10)
    found = sum(len(np.intersect1d(one.rows, two.rows)) for one, two in zip(near, right, strict=True))
    assert found / 2000 > 0.97
    assert near[0].scores[0] == right[0].scores[0]
    assert len(single) == 1


def test_built_once_for_a_file_wherever_it_is_moved(tmp_path, vectors):
    path = write(tmp_path / "f.h5", vectors, about={"model": "a/b/mobilenet_0.25"})
    with open_vectors(path) as file:
        told = []
        approximate.open_index(file, progress=lambda *now: told.append(now))
        assert told[-1] == (2000, 2000)
    (folder,) = folders()
    assert folder.name.startswith("mobilenet_0.25-")
    assert json.loads((folder / "about.json").read_text())["pictures"] == 2000
    os.rename(path, tmp_path / "g.h5")
    with open_vectors(tmp_path / "g.h5") as file:
        approximate.open_index(file, progress=lambda *now: pytest.fail("built again"))
    write(tmp_path / "h.npy", vectors[::-1])
    with open_vectors(tmp_path / "h.npy") as file:
        approximate.open_index(file)
    assert len(folders()) == 2


def test_too_few_need_none(tmp_path, vectors):
    with opened(tmp_path / "f.npy", vectors[:99]) as file:
        assert approximate.open_index(file) is None
    assert folders() == []


def test_what_has_no_length_or_is_not_finite_is_nobodys_neighbour(tmp_path, vectors):
    spoilt = vectors.copy()
    spoilt[5:9], spoilt[20], spoilt[30, 3] = 0, np.nan, np.inf
    with opened(tmp_path / "f.npy", spoilt) as file:
        found = approximate.open_index(file).candidates(vectors[[5, 20, 30]], 1000)
    assert not {5, 6, 7, 8, 20, 30} & {row for rows in found for row in rows.tolist()}


def test_interrupted_it_leaves_nothing(tmp_path, vectors):
    def stop(done, total):
        raise KeyboardInterrupt

    with opened(tmp_path / "f.npy", vectors) as file, pytest.raises(KeyboardInterrupt):
        approximate.open_index(file, progress=stop)
    assert list(artifacts.root("neighbours").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said_before_the_work(tmp_path, vectors, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with opened(tmp_path / "f.npy", vectors) as file, pytest.raises(UnavailableError, match="ZOO_CACHE"):
        approximate.open_index(file, progress=lambda *now: pytest.fail("began"))


def test_a_damaged_index_is_said(tmp_path, vectors):
    with opened(tmp_path / "f.npy", vectors) as file:
        approximate.open_index(file)
        (folder,) = folders()
        (folder / "graph.usearch").write_bytes(b"nothing")
        with pytest.raises(UnavailableError, match="remove it"):
            approximate.open_index(file)


def test_without_the_package(tmp_path, vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch", None)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with opened(tmp_path / "f.npy", vectors) as file, pytest.raises(UnavailableError, match=r"keras-zoo\[search\]"):
        approximate.open_index(file)
