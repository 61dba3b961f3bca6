"""Principal components: as the singular value decomposition has them, in blocks, and where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.search import pca


def in_blocks(vectors, rows=7):
    def blocks():
        for start in range(0, len(vectors), rows):
            yield start, vectors[start : start + rows]

    return blocks


def falling(count, dim, seed=0):
    """Vectors whose variance falls from one direction to the next, around a middle that is not zero."""
    numbers = np.random.default_rng(seed)
    turn = np.linalg.qr(numbers.normal(size=(dim, dim)))[0]
    return ((numbers.normal(size=(count, dim)) * 0.8 ** np.arange(dim)) @ turn + 3).astype(np.float32)


@pytest.mark.parametrize("exact", [pca.EXACT, 10])
def test_the_components_are_those_of_the_whole_decomposition(exact, monkeypatch):
    monkeypatch.setattr(pca, "EXACT", exact)
    vectors = falling(200, 40)
    found = pca.fit(in_blocks(vectors), 40, 8)
    centred = vectors - vectors.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert found.axes.shape == (40, 8)
    assert found.share == pytest.approx(values[:8] ** 2 / (values**2).sum(), rel=1e-3)
    cosines = np.abs(np.sum(found.axes * axes[:8].T, axis=0))
    assert cosines.min() > 0.999
    places = found.transform(in_blocks(vectors), 200)
    assert places == pytest.approx(centred @ found.axes, abs=1e-4)


def test_the_size_of_blocks_and_the_seed_change_nothing():
    vectors = falling(60, 30)
    one, two = (pca.fit(in_blocks(vectors, rows), 30, 5, seed=seed) for rows, seed in ((7, 0), (60, 1)))
    assert one.axes == pytest.approx(two.axes, abs=1e-4)


def test_axes_are_orthonormal_and_point_to_their_largest_number():
    found = pca.fit(in_blocks(falling(50, 20)), 20, 6)
    assert found.axes.T @ found.axes == pytest.approx(np.eye(6), abs=1e-5)
    assert (found.axes[np.abs(found.axes).argmax(axis=0), np.arange(6)] > 0).all()


@pytest.mark.parametrize("exact", [pca.EXACT, 10])
@pytest.mark.parametrize(
    ("vectors", "rank"),
    [
        (np.ones((1, 30)), 0),
        (np.full((9, 30), 1 / 3), 0),
        (np.zeros((4, 30)), 0),
        (np.eye(30)[:2] * 5, 1),
        (np.eye(30)[:5] * 1e-3, 4),
    ],
)
def test_there_are_no_more_components_than_the_vectors_have(vectors, rank, exact, monkeypatch):
    monkeypatch.setattr(pca, "EXACT", exact)
    found = pca.fit(in_blocks(vectors.astype(np.float32)), 30, 10)
    assert found.axes.shape == (30, rank)
    assert found.share.sum() == pytest.approx(1.0 if rank else 0.0, abs=1e-5)
