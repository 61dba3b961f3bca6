"""A group is divided as somebody would who goes through it image by image, the most wanted first."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.files import opened, units
from zoo.search import star_clusters
from zoo.search.pairs import DIGITS


def one_by_one(vectors, rows, threshold):
    """The same, the plain way: centre to others."""
    table = np.round(units(vectors) @ units(vectors).T, DIGITS)
    left, found = list(range(len(rows))), {}
    while left:
        centre, *rest = left
        near = [place for place in rest if table[rows[centre], rows[place]] >= threshold]
        left = [place for place in rest if place not in near]
        if near:
            found[centre] = near
    return found


@pytest.mark.parametrize("size", [1, 3, 7, 2048])
@pytest.mark.parametrize("threshold", [0.3, 0.8, 0.95])
def test_each_takes_what_is_like_it_of_what_is_left(tmp_path, monkeypatch, size, threshold):
    monkeypatch.setattr(star_clusters, "_SIZE", size)
    numbers = np.random.default_rng(0)
    vectors = np.repeat(numbers.standard_normal((12, 6)), 4, axis=0) + 0.25 * numbers.standard_normal((48, 6))
    rows = numbers.permutation(48)[:40]
    with opened(tmp_path / "f.npy", vectors) as file:
        found = list(star_clusters.divide(file, rows, threshold))
        stored = file.read(0, 48)
    assert {star.centre: star.others.tolist() for star in found} == one_by_one(stored, rows, threshold)
    for star in found:
        cosines = units(stored)[rows[star.others]] @ units(stored)[rows[star.centre]]
        np.testing.assert_allclose(star.similarities, cosines, atol=1e-6)
        assert (star.similarities >= threshold).all()


def test_the_ends_of_a_chain_are_not_taken_for_copies(tmp_path):
    angles = np.radians(np.arange(0, 90, 10))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with opened(tmp_path / "f.npy", vectors) as file:
        found = list(star_clusters.divide(file, np.arange(9), np.cos(np.radians(10.5))))
    assert [(star.centre, star.others.tolist()) for star in found] == [(0, [1]), (2, [3]), (4, [5]), (6, [7])]
