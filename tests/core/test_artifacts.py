"""What zoo computed and keeps: what is listed, in which words, and what is taken to be left over."""

import json
import os
import time

import pytest

from zoo.core import artifacts, paths


def keep(kind, name, about, nbytes=1000):
    folder = paths.cache_root() / kind / name
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(bytes(nbytes))
    (folder / "about.json").write_text(about if isinstance(about, str) else json.dumps(about))
    return folder


def test_nothing_is_there_before_anything_is_computed():
    for kind in artifacts.KINDS:
        assert list(artifacts.entries(kind)) == artifacts.leftovers(kind) == []


def test_entries_in_the_order_of_their_names():
    second = keep("features", "mobilenetv2_1.0-0123abcd", {"pictures": 3}, nbytes=7)
    first = keep("features", "cifar10-resnet9-89ab", {"pictures": 3})
    keep("compiled", "lenet5-0123", {})
    keep("features", ".lenet5-77-abcd", {})
    entries = list(artifacts.entries("features"))
    assert [entry.folder for entry in entries] == [first, second]
    assert [entry.model for entry in entries] == ["cifar10-resnet9", "mobilenetv2_1.0"]
    assert entries[1].bytes == 7 + len('{"pictures": 3}')


def features(images, views, cut):
    return {"network": {"model": "x", "cut": cut}, "views": {"count": views}, "pictures": images}


@pytest.mark.parametrize(
    ("kind", "about", "words"),
    [
        ("features", features(60, 1, {"layer": "pool", "top": False}), "60 images, up to pool"),
        ("features", features(8, 4, {"layer": None, "top": True}), "8 images in 4 views, up to its last layer"),
        ("features", features(8, 1, {"layer": None, "top": False}), "8 images, without its classifier"),
        ("compiled", {"cut": {"layer": "conv4"}}, "up to conv4"),
        ("compiled", {"cut": {"layer": "conv4", "beside": ["conv5"]}}, "up to conv4 and conv5"),
        ("compiled", {"cut": {"layer": None, "probabilities": True}}, "without its classifier, with probabilities"),
        ("compiled", {"cut": None}, ""),
        ("features", "{damaged", ""),
        ("features", "[]", ""),
    ],
)
def test_what_an_entry_is_of(kind, about, words):
    keep(kind, "x-0123", about)
    (entry,) = artifacts.entries(kind)
    assert (entry.model, entry.kind, entry.content) == ("x", kind, words)


def test_left_over_is_where_nothing_happens_any_more():
    old, busy = (keep("features", name, "") for name in (".x-01-old", ".x-01-busy"))
    whole = keep("features", "x-01", "")
    hours_ago = time.time() - 2 * 3600
    for folder in (old, busy, whole):
        os.utime(folder, (hours_ago, hours_ago))
    os.utime(busy)
    assert artifacts.leftovers("features") == [old]
    assert artifacts.leftovers("compiled") == []
    assert artifacts.size(old) == 1000
