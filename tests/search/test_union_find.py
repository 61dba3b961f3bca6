"""Groups from pairs are the connected components of their graph."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from zoo.search.union_find import Forest

COUNT = 12
PAIRS = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=15)


@given(st.lists(PAIRS, max_size=4))
def test_groups_are_the_connected_components(batches):
    forest = Forest(COUNT)
    graph = np.zeros((COUNT, COUNT))
    for batch in batches:
        ones, others = np.array(batch, np.int64).reshape(-1, 2).T
        forest.join(ones, others)
        graph[ones, others] = 1
        assert not forest.apart(ones, others).any()
    _, labels = connected_components(coo_array(graph), directed=False)
    every = np.arange(COUNT)
    for one in range(COUNT):
        assert forest.apart(np.full(COUNT, one), every).tolist() == (labels != labels[one]).tolist()
    groups = [np.flatnonzero(labels == label).tolist() for label in dict.fromkeys(labels.tolist())]
    assert [group.tolist() for group in forest.groups()] == [group for group in groups if len(group) > 1]


def test_a_long_chain_from_its_end_is_one_group():
    forest = Forest(10_000)
    links = np.arange(9_999)[::-1]
    for part in np.split(links, [1, 7, 500, 5000]):
        forest.join(part, part + 1)
    (group,) = forest.groups()
    assert group.tolist() == list(range(10_000))


def test_nothing():
    assert Forest(0).groups() == Forest(3).groups() == []
