from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.data.chance import images, run
from zoo.core.errors import UsageError
from zoo.data.augment import mixing, pipeline
from zoo.data.augment.config import Augment
from zoo.data.augment.kinds import RandAugment

EVERYTHING = {
    "flip": "both",
    "shift": 0.1,
    "rotate": 20,
    "zoom": 0.2,
    "aspect": [0.9, 1.1],
    "shear": 8,
    "crop": 0.5,
    "probability": 0.9,
    "fill": "reflect",
    "brightness": 0.3,
    "contrast": 0.3,
    "saturation": 0.3,
    "hue": 0.1,
    "noise": 4,
    "rand_augment": {"n": 2, "m": 9},
    "cutout": 8,
    "erase": 0.5,
    "mixup": 0.4,
    "cutmix": 1.0,
}
SINGLY = [{key: value} for key, value in EVERYTHING.items() if key not in ("probability", "fill")]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("settings", [*SINGLY, EVERYTHING], ids=lambda s: next(iter(s)) if len(s) == 1 else "all")
def test_shapes_labels_and_chance(settings, grey):
    batch, labels = images(grey=grey)
    before = batch.copy(), labels.copy()
    x, y = run(settings, batch, labels)
    assert x.shape == batch.shape
    assert x.dtype == np.uint8
    assert y.dtype == np.float32
    assert y.shape == labels.shape
    assert np.allclose(y.sum(1), 1)
    assert y.min() >= 0
    # What came in is left alone, the same chance gives the same, another something else.
    assert np.array_equal(batch, before[0])
    assert np.array_equal(labels, before[1])
    again, again_y = run(settings, batch, labels)
    assert np.array_equal(again, x)
    assert np.array_equal(again_y, y)
    others = [run(settings, batch, labels, seed=seed)[0] for seed in range(1, 5)]
    colours_only = grey and set(settings) <= {"saturation", "hue"}
    assert any(not np.array_equal(other, x) for other in others) != colours_only


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fill": "edge", "fill_value": 9, "probability": 0.5},
        {"rotate": 30, "shift": 4, "zoom": 0.3, "shear": 9, "aspect": [0.5, 2], "probability": 0},
        {"rotate": 0, "zoom": [1, 1], "crop": [1, 1]},
        {"brightness": 0, "hue": 0, "erase": 0},
        {"rand_augment": {"n": 3, "m": 0}},
    ],
)
def test_what_asks_for_nothing_changes_nothing(settings):
    batch, labels = images()
    if "rand_augment" in settings:
        # Autocontrast and equalize have no strength; the images use the whole range evenly already.
        batch = np.tile(np.arange(256, dtype=np.uint8).reshape(16, 16), (6, 2, 2))
    x, y = run(settings, batch, labels)
    assert np.array_equal(x, batch)
    assert np.array_equal(y, labels)


def test_short_forms():
    augment = Augment.from_mapping(
        {"flip": True, "zoom": 0.2, "crop": 0.08, "aspect": [0.75, 1.25], "rand_augment": {"m": 5}}
    )
    assert augment == Augment(
        flip="horizontal", zoom=(0.8, 1.2), crop=(0.08, 1.0), aspect=(0.75, 1.25), rand_augment=RandAugment(2, 5)
    )
    nothing = {"flip": False, "crop": None, "rand_augment": False, "shift": 0}
    assert Augment.from_mapping(nothing) == Augment.from_mapping({}) == Augment()
    assert Augment.from_mapping({"rand_augment": True, "crop": 0}) == Augment(rand_augment=RandAugment(2, 9))


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"flp": True}, r"There is no augmentation 'flp'. Did you mean 'flip'\?"),
        ({"cut_out": 8}, r"Did you mean 'cutout'\?"),
        ({"xyz": 1}, r"There is no augmentation 'xyz'. There are: flip, shift, .*cutmix\."),
        ({"flip": "left"}, r"'flip' is one of none, horizontal, vertical, both. Received: 'left'"),
        ({"fill": ["edge"]}, r"'fill' is one of constant, edge, reflect"),
        ({"rotate": "10"}, r"'rotate' is degrees, from 0 to 180. Received: '10'"),
        ({"rotate": -10}, r"'rotate' is degrees"),
        ({"rotate": True}, r"'rotate' is degrees"),
        ({"rotate": float("nan")}, r"'rotate' is degrees"),
        ({"shift": None}, r"'shift' is pixels, or a fraction below 1"),
        ({"zoom": [1.2, 0.8]}, r"'zoom' is two numbers from 0.05 to 20, the smaller one first. Received: \(1.2, 0.8\)"),
        ({"zoom": 1.0}, r"'zoom' is two numbers"),
        ({"zoom": [0.8, 1, 1.2]}, r"'zoom' is two numbers"),
        ({"zoom": {"low": 1}}, r"'zoom' is two numbers"),
        ({"crop": 1.5}, r"'crop' is two numbers from 0.001 to 1"),
        ({"aspect": 1}, r"'aspect' is two numbers"),
        ({"fill_value": 1.5}, r"'fill_value' is a grey level"),
        ({"hue": 0.6}, r"'hue' is a part of a turn, from 0 to 0.5"),
        ({"rand_augment": {"n": 2, "k": 1}}, r"'rand_augment' is n, operations from 1 to 14, and m"),
        ({"rand_augment": {"m": 31}}, r"'rand_augment' is n"),
        ({"rand_augment": 2}, r"'rand_augment' is n"),
    ],
)
def test_settings_that_make_no_sense(mapping, sentence):
    with pytest.raises(UsageError, match=sentence):
        Augment.from_mapping(mapping)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(EVERYTHING)), PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(st.text("nm"), PLAIN)
    )
)
def test_any_mapping_is_an_augmentation_or_a_sentence(mapping):
    try:
        augment = Augment.from_mapping(mapping)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        batch, labels = images(2, 8, 8)
        x, y = run(augment, batch, labels)
        assert x.shape == batch.shape
        assert np.allclose(y.sum(1), 1)


def test_it_says_what_it_does():
    assert Augment().describe() == "none"
    text = Augment.from_mapping({"flip": True, "shift": 4, "crop": 0.5, "rand_augment": True}).describe()
    assert text == "flip horizontal, shift 4, crop 0.5–1, rand_augment 2 of strength 9"


def test_every_key_is_documented():
    page = (ROOT / "docs" / "datasets.md").read_text().partition("## Augmentation")[2]
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [field.name for field in dataclasses.fields(Augment)]


def test_every_setting_belongs_to_an_augmentation():
    used = {name for _, names in pipeline.OPERATIONS for name in names} | set(mixing.MIXES) | {"fill", "fill_value"}
    geometric = {"flip", "shift", "rotate", "zoom", "aspect", "shear", "crop", "probability"}
    assert used | geometric == {field.name for field in dataclasses.fields(Augment)}
