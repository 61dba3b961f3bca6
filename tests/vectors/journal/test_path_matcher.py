"""Which inputs are done."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.vectors.journal.path_matcher import PathMatcher

few = st.lists(st.sampled_from("abcde"))


@settings(deadline=None)
@given(few, few)
def test_each_name_is_found_as_often_as_it_is_there(names, asked):
    matcher = PathMatcher(names)
    found = [(name, matcher.match(name)) for name in asked]
    places = [place for _, place in found if place is not None]
    assert len(set(places)) == len(places)
    assert all(names[place] == name for name, place in found if place is not None)
    assert Counter(name for name, place in found if place is not None) == Counter(names) & Counter(asked)
    assert matcher.left() == len(names) - len(places)


@settings(deadline=None)
@given(few, few)
def test_the_same_beginning_is_found_in_order(names, more):
    matcher = PathMatcher(names)
    assert [matcher.match(name) for name in names] == list(range(len(names)))
    assert [matcher.match(name) for name in more] == [None] * len(more)


def test_the_same_names_need_no_memory():
    read = []

    def names():
        for number in range(1000):
            read.append(number)
            yield str(number)

    matcher = PathMatcher(names())
    for number in range(10):
        matcher.match(str(number))
    assert len(read) <= 11, "names are read only as far as they are needed"


def test_the_first_of_several_places_comes_first():
    matcher = PathMatcher(["a", "b", "b", "c", "b"])
    assert [matcher.match(name) for name in "cbbbba"] == [3, 1, 2, 4, None, 0]
