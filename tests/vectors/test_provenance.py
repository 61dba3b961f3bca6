"""Whether a file was made as it is asked for now."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.core.errors import UsageError
from zoo.vectors import Column
from zoo.vectors.provenance import check_columns, check_settings, differences

plain = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
described = st.dictionaries(st.text(), plain)


@settings(deadline=None)
@given(described, described)
def test_differences(made, asked):
    found = {key: (was, now) for key, was, now in differences(made, asked)}
    keys = {key for key in {*made, *asked} if made.get(key, ...) != asked.get(key, ...)} - {"zoo_version"}
    # True and 1 are the same to Python, and not to JSON.
    assert keys <= set(found)
    assert not list(differences(made, made))


def test_tuples_and_lists_and_the_version():
    assert not list(differences({"a": ["x"], "zoo_version": "1"}, {"a": ("x",), "zoo_version": "2"}))


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ({"model": "vgg16"}, {"model": "resnet50"}, "f.h5 was made with model vgg16 and not resnet50"),
        ({"normalized": True}, {"normalized": False}, "f.h5 was made with normalized yes and not no"),
        ({"a": 1}, {"a": 1, "layer_name": ""}, "f.h5 does not say with which layer name it was made"),
        ({"layers": ["a", "b"]}, {"layers": []}, "f.h5 was made with layers a, b and not none"),
        ({"digest": "0" * 64}, {"digest": "1" * 64}, "f.h5 was made with another digest"),
        ({}, {"a": 1}, "f.h5 does not say what it was made with"),
    ],
)
def test_sentences(was, now, words):
    with pytest.raises(UsageError) as caught:
        check_settings("f.h5", was, now)
    assert str(caught.value) == f"{words}; name another file, or --overwrite."


def test_columns():
    first = [Column("features", (7, 7), "float32", {"layer": "a"})]
    check_columns("f.h5", first, [Column("features", [7, 7], "float32", {"layer": "a"})])
    for other in ([], [Column("features", (49,), "float32", {"layer": "a"})], [*first, *first]):
        with pytest.raises(UsageError, match=r"made with features of 7 × 7 \(float32\) and not with "):
            check_columns("f.h5", first, other)
