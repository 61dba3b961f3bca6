"""The best of what comes block by block is the best of all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zoo.search.top_k import TopK


@given(
    st.lists(st.lists(st.integers(-4, 4), min_size=1, max_size=12), max_size=6),
    st.integers(1, 20),
    st.booleans(),
)
def test_the_best_of_all_blocks_and_of_equal_ones_the_first(blocks, count, with_nothing):
    top = TopK(2, count)
    first = 0
    for block in blocks:
        row = np.array(block, np.float32)
        if with_nothing:
            row[row == 4] = -np.inf
        top.add(first, np.stack([row, -row]))
        first += len(block)
    values = np.array([value for block in blocks for value in block], np.float32)
    if with_nothing:
        values[values == 4] = -np.inf
    for query, sign in enumerate((1, -1)):
        scores = sign * values
        best = np.argsort(-scores, kind="stable")
        best = best[~np.isneginf(scores[best])][:count]
        assert top.rows(query).tolist() == sorted(best.tolist())


def test_no_blocks_and_empty_ones():
    top = TopK(1, 3)
    top.add(0, np.empty((1, 0), np.float32))
    assert top.rows(0).tolist() == []
