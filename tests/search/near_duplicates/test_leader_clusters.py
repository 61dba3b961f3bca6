"""A group is divided as somebody would who goes through it image by image, the most wanted first."""

from __future__ import annotations

import numpy as np
import pytest

from tests.search.files import opened, units
from zoo.search.near_duplicates import leader_clusters as module
from zoo.search.near_duplicates.leader_clusters import leader_clusters
from zoo.search.near_duplicates.similar_pairs import DIGITS


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
    monkeypatch.setattr(module, "_SIZE", size)
    numbers = np.random.default_rng(0)
    vectors = np.repeat(numbers.standard_normal((12, 6)), 4, axis=0) + 0.25 * numbers.standard_normal((48, 6))
    rows = numbers.permutation(48)[:40]
    with opened(tmp_path / "f.npy", vectors) as file:
        found = list(leader_clusters(file, rows, threshold))
        stored = file.read(0, 48)
    assert {one.leader: one.members.tolist() for one in found} == one_by_one(stored, rows, threshold)
    for one in found:
        cosines = units(stored)[rows[one.members]] @ units(stored)[rows[one.leader]]
        np.testing.assert_allclose(one.similarities, cosines, atol=1e-6)
        assert (one.similarities >= threshold).all()


def test_the_ends_of_a_chain_are_not_taken_for_copies(tmp_path):
    angles = np.radians(np.arange(0, 90, 10))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with opened(tmp_path / "f.npy", vectors) as file:
        found = list(leader_clusters(file, np.arange(9), np.cos(np.radians(10.5))))
    assert [(one.leader, one.members.tolist()) for one in found] == [(0, [1]), (2, [3]), (4, [5]), (6, [7])]
