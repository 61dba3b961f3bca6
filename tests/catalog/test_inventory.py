"""Clearing away what zoo computed: everything of a kind when it is asked for, and what was never finished."""

import os
import time

import pytest

from tests.core.test_artifacts import keep
from tests.training.finetuning.toys import NETWORK, paint
from zoo.catalog import inventory
from zoo.core import artifacts
from zoo.core.errors import WeightsError


def test_kinds_go_only_when_they_are_named():
    compiled, features, neighbours = (keep(kind, "x-0123", {}) for kind in artifacts.KINDS)
    assert inventory.prune() == []
    assert [one.path for one in inventory.prune(kinds=["features"], dry_run=True)] == [features]
    assert features.exists()
    (gone,) = inventory.prune(kinds=["features"])
    assert (gone.path, gone.bytes) == (features, 1002)
    assert compiled.exists() and neighbours.exists() and not features.exists()
    assert [one.path for one in inventory.prune(kinds=artifacts.KINDS)] == [compiled, neighbours]


def test_work_folders_go_after_an_hour():
    folders = [keep(kind, f".x-0123-{age}", "") for kind in artifacts.KINDS for age in ("old", "new")]
    hours_ago = time.time() - 2 * 3600
    for folder in folders[::2]:
        os.utime(folder, (hours_ago, hours_ago))
    assert {one.path for one in inventory.prune()} == set(folders[::2])
    assert [folder.exists() for folder in folders] == [False, True] * len(artifacts.KINDS)


def test_what_cannot_be_removed_is_said(monkeypatch):
    folder = keep("features", "x-0123", {})

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inventory.shutil, "rmtree", refuse)
    with pytest.raises(WeightsError, match=r"x-0123 cannot be removed: Permission denied\."):
        inventory.prune(kinds=["features"])
    assert folder.exists()


def test_what_a_trunk_keeps_is_known(tmp_path, monkeypatch):
    from zoo import engines
    from zoo.catalog import registry
    from zoo.core.spec import Cut
    from zoo.data import dataset
    from zoo.engines import devices
    from zoo.pretrained import weights
    from zoo.training.finetuning.trunk import Trunk
    from zoo.training.finetuning.views import Views

    monkeypatch.setattr(engines, "choose", lambda request, spec, device: "keras")
    spec = registry.get(NETWORK)
    split = dataset.read_for_training(paint(tmp_path / "pictures"), val_split=0.0).splits["train"]
    trunk = Trunk(spec, weights.fetch(spec, include_top=False), Cut(pool="avg"), devices.select("cpu"))
    trunk.outputs(split, Views())
    (entry,) = artifacts.entries("features")
    assert (entry.model, entry.content) == (NETWORK, "60 images, without its classifier")
    assert entry.bytes > trunk.find(split, Views()).values.nbytes
    inventory.prune(kinds=["features"])
    assert trunk.find(split, Views()) is None
