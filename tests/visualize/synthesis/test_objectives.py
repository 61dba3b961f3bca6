"""A filter is not a neuron, and neither is a class."""

from __future__ import annotations

import pytest

from tests.visualize.networks import fine_tuned
from zoo.catalog.labels import Label
from zoo.core.errors import UsageError
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis import objectives


@pytest.fixture(scope="module")
def subject():
    names = ("crane", "crane", "fox", "owl")
    classes = tuple(Label(index, name, f"n{index}") for index, name in enumerate(names))
    return InspectedModel(fine_tuned(nested=True), classes)


def test_filters_by_numbers_ranges_and_all(subject):
    found = objectives.choose(subject, layer="head", filters="3, 1,4-6,4")
    assert [(one.kind, one.index, one.layer) for one in found] == [
        ("filter", index, "base/head") for index in (3, 1, 4, 5, 6)
    ]
    assert found[0].caption == "filter 3"
    assert len(objectives.choose(subject, layer="head", filters="all")) == 12
    assert [one.index for one in objectives.choose(subject, layer="head", filters=[2, 2, 0])] == [2, 0]


def test_a_neuron_is_one_place_of_a_filter_or_a_unit(subject):
    here, there = objectives.choose(subject, layer="head", neurons=["11@7,0", "0@3,5"])
    assert (here.index, here.place, here.caption) == (11, (7, 0), "neuron 11@7,0")
    assert there.place == (3, 5)
    (unit,) = objectives.choose(subject, layer="pool", neurons=["7"])
    assert (unit.index, unit.place, unit.caption) == (7, (), "neuron 7")


def test_a_class_has_no_layer(subject):
    (fox,) = objectives.choose(subject, classes=["fox"])
    assert (fox.kind, fox.index, fox.layer, fox.caption) == ("class", 2, None, "fox")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({}, "none was given"),
        ({"layer": "head", "filters": "1", "classes": ["fox"]}, "filter and class were given"),
        ({"filters": "1"}, "A filter belongs to a layer"),
        ({"neurons": ["1@0,0"]}, "A neuron belongs to a layer"),
        ({"layer": "head", "classes": ["fox"]}, "A class belongs to no layer"),
        ({"layer": "head", "filters": "12"}, "has filters 0 to 11. Received: 12"),
        ({"layer": "head", "filters": [-1]}, "has filters 0 to 11. Received: -1"),
        ({"layer": "head", "filters": "3-1"}, "e.g. 20,21 or 0-63. Received: 3-1"),
        ({"layer": "head", "filters": "fox"}, "e.g. 20,21 or 0-63. Received: fox"),
        ({"layer": "pool", "filters": "1"}, r"pool of fine_tuned gives \(12,\), so it has no filters; --neuron takes"),
        ({"layer": "haed", "filters": "1"}, "Did you mean"),
        ({"layer": "head", "neurons": ["3"]}, "written CHANNEL@ROW,COLUMN, e.g. 6@4,4. Received: 3"),
        ({"layer": "head", "neurons": ["12@0,0"]}, "has channels 0 to 11. Received: 12@0,0"),
        ({"layer": "head", "neurons": ["3@0,8"]}, "has columns 0 to 7. Received: 3@0,8"),
        ({"layer": "pool", "neurons": ["3@0,0"]}, "written UNIT, e.g. 6. Received: 3@0,0"),
        ({"layer": "pool", "neurons": ["12"]}, "has units 0 to 11. Received: 12"),
        ({"classes": ["crane"]}, "crane"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(subject, wanted, sentence):
    with pytest.raises(UsageError, match=sentence):
        objectives.choose(subject, **wanted)
