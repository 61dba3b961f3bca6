from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.split import Split, divide
from zoo.images.source import Source


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(3, 40), min_size=1, max_size=5),
    val=st.floats(0.01, 0.49),
    test=st.floats(0.0, 0.49),
    seed=st.integers(0, 5),
)
def test_divisions_are_stratified_and_disjoint(counts, val, test, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    sources = [Source(f"{label}/{number}.png") for number, label in enumerate(labels)]
    names = [str(label) for label in range(len(counts))]
    fractions = {"val": val, "test": test}
    parts = divide(Split(sources, labels), [source.path for source in sources], names, fractions, seed=seed, where="it")
    assert sorted(s.path for part in parts.values() for s in part.sources) == sorted(s.path for s in sources)
    assert set(parts) == {"train", "val"} | ({"test"} if test else set())
    for name, part in parts.items():
        assert [source.path[0] for source in part.sources] == [str(label) for label in part.labels]
        found = np.bincount(part.labels, minlength=len(counts))
        assert found.all()
        if name != "train":
            assert (abs(found - fractions[name] * np.array(counts)) <= 1).all()
