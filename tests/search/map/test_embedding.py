"""From components to a plane: the methods, which one is taken, and few or equal vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.map.made import blobs
from zoo.core.errors import UnavailableError, UsageError
from zoo.search.map import embedding


def components(count, dim=8, seed=0):
    return np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)


def apart(places, which):
    """The share of points whose nearest neighbour has the same number."""
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return (which[distances.argmin(axis=1)] == which).mean()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("method", ["umap", "tsne", "pca"])
def test_few_vectors_lie_along_their_components(count, method):
    found = components(count)
    assert embedding.embed(found, method) == pytest.approx(found[:, :2])


@pytest.mark.parametrize("dimensions", [0, 1])
@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_vectors_without_directions_have_places(dimensions, method):
    if method != "pca" and dimensions:
        pytest.importorskip("sklearn")
    places = embedding.embed(components(30, dimensions), method)
    assert places.shape == (30, 2)
    assert np.isfinite(places).all()
    if not dimensions:
        assert not places.any()


def test_tsne_keeps_groups_together_and_gives_the_same_twice():
    pytest.importorskip("sklearn")
    vectors, which = blobs((40, 40, 40))
    one, two = (embedding.embed(vectors, "tsne", seed=3) for _ in range(2))
    assert (one == two).all()
    assert one.dtype == np.float32
    assert apart(one, which) == 1
    # Screens are wider than high.
    assert one[:, 0].std() > one[:, 1].std()


@pytest.mark.slow
def test_umap_keeps_groups_together_and_gives_the_same_twice():
    pytest.importorskip("umap")
    vectors, which = blobs((40, 40, 40))
    one, two = (embedding.embed(vectors, "umap", seed=3) for _ in range(2))
    assert (one == two).all()
    assert apart(one, which) == 1
    assert one[:, 0].std() > one[:, 1].std()
    assert (embedding.embed(vectors, "umap", seed=4) != one).any()
    same = np.repeat(vectors[:15], 4, axis=0)
    for odd in (same, vectors[:30, :1], vectors[:30, :0]):
        assert np.isfinite(embedding.embed(odd, "umap")).all()


def test_auto_takes_the_first_that_is_installed(monkeypatch):
    there = {"umap", "tsne"}
    monkeypatch.setattr(embedding, "_installed", lambda method: method in there)
    assert embedding.choose("auto", 500) == ("umap", "umap-learn is installed")
    there.remove("umap")
    assert embedding.choose("auto", 500)[0] == "tsne"
    assert embedding.choose("auto", 100_000)[0] == "pca"
    there.clear()
    method, why = embedding.choose("auto", 500)
    assert (method, "keras-zoo[map]" in why) == ("pca", True)
    for method in ("umap", "tsne"):
        with pytest.raises(UnavailableError, match=r"keras-zoo\[map\]"):
            embedding.choose(method, 500)


@pytest.mark.parametrize("request_", ["auto", "umap", "tsne"])
def test_few_vectors_are_placed_by_their_components_and_it_says_so(request_, monkeypatch):
    monkeypatch.setattr(embedding, "_installed", lambda method: True)
    method, why = embedding.choose(request_, 9)
    assert method == "pca"
    assert "fewer than 10" in why


def test_what_makes_no_sense_is_a_sentence():
    with pytest.raises(UsageError, match="auto, umap, tsne, pca"):
        embedding.choose("mds", 100)
    with pytest.raises(UsageError, match="at least 2"):
        embedding.embed(components(30), "tsne", neighbours=1)
