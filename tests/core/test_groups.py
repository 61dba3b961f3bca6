"""Groups from pairs are the connected components of their graph; groups from keys are what is equal."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo.core.groups import equal_groups, groups_of_labels, merge_labels

N = 12
PAIRS = st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=15)


def components(pairs: list[tuple[int, int]]) -> list[list[int]]:
    """The connected components of two or more nodes, found by walking."""
    found: list[list[int]] = []
    for start in range(N):
        if any(start in group for group in found):
            continue
        reached = {start}
        while more := {b for a, b in pairs + [(b, a) for a, b in pairs] if a in reached} - reached:
            reached |= more
        found.append(sorted(reached))
    return [group for group in found if len(group) > 1]


@given(st.lists(PAIRS, max_size=4))
def test_groups_are_the_connected_components_however_the_pairs_are_divided(batches):
    labels = np.arange(N)
    for batch in batches:
        labels = merge_labels(labels, np.array(batch, np.int64).reshape(-1, 2))
        assert all(labels[one] == labels[other] for one, other in batch)
    pairs = [pair for batch in batches for pair in batch]
    expected = components(pairs)
    assert [group.tolist() for group in groups_of_labels(labels)] == expected
    assert all(group.dtype == np.int64 for group in groups_of_labels(labels))


def test_a_long_chain_from_its_end_is_one_group():
    labels = np.arange(10_000)
    links = np.arange(9_999)[::-1]
    for part in np.split(links, [1, 7, 500, 5000]):
        labels = merge_labels(labels, np.stack([part, part + 1], 1))
    (group,) = groups_of_labels(labels)
    assert group.tolist() == list(range(10_000))


def test_nothing():
    none = np.empty((0, 2), np.int64)
    for n in (0, 3):
        assert groups_of_labels(merge_labels(np.arange(n), none)) == []
    assert equal_groups([]) == []


def test_equal_keys_in_the_order_of_their_first():
    groups = equal_groups(["b", None, "a", "b", "c", None, "a", "b"])
    assert [group.tolist() for group in groups] == [[0, 3, 7], [2, 6]]
