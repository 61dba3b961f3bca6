"""Identical files are found whatever they are called, and never divided into several parts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.training.finetuning.toys import paint
from zoo.data import dataset
from zoo.data.duplicates import identical
from zoo.data.split import Split, divide
from zoo.images.source import Source


def test_same_contents_are_one_group_and_same_sizes_are_not(tmp_path):
    for name, data in (("a", b"one"), ("b", b"two"), ("c", b"one"), ("d", b"three"), ("e", b"one")):
        (tmp_path / name).write_bytes(data)
    sources = [Source(str(tmp_path / name)) for name in "abcde"] + [Source(str(tmp_path / "missing"))] * 2
    found = identical.groups(Split(sources, np.zeros(7, np.int64)))
    assert [group.tolist() for group in found] == [[0, 2, 4]]


@pytest.mark.parametrize("seed", range(5))
def test_a_division_keeps_copies_together(tmp_path, seed):
    folder = paint(tmp_path / "pictures", 12)
    for number in range(12):
        os.link(folder / "red" / f"{number}.png", folder / "red" / f"copy-{number}.png")
    # The same image in another class, which is wrong, must not be trained on either if it is in another part.
    os.link(folder / "blue" / "0.png", folder / "green" / "blue.png")
    found = dataset.read_for_training(folder, val_split=0.3, test_split=0.2, seed=seed)
    contents = {part: {Path(s.path).read_bytes() for s in split.sources} for part, split in found.splits.items()}
    assert not contents["train"] & contents["val"]
    assert not contents["train"] & contents["test"]
    assert not contents["val"] & contents["test"]
    assert sum(len(split) for split in found.splits.values()) == 49
    assert all(count > 0 for parts in found.counts().values() for count in parts.values())


def test_a_part_keeps_its_last_image_of_a_class():
    split = Split([Source(str(number)) for number in range(8)], np.repeat([0, 1], 4))
    parts = divide(
        split,
        [str(number) for number in range(8)],
        ["a", "b"],
        {"val": 0.25},
        seed=0,
        where="here",
        copies=[np.arange(4)],
    )
    assert np.bincount(parts["val"].labels, minlength=2).tolist() == [1, 1]
