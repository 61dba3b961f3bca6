"""Commands on many images look for the fastest batch size first; on a few they do not."""

from __future__ import annotations

import json
import logging
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from zoo.catalog import registry
from zoo.engines.openvino import batch_tuning, compiled_cache

NETWORK = "cifar10-resnet9"


@pytest.fixture
def photos(tmp_path):
    """Four images of two classes, where two are in a folder of their own."""
    for number, name in enumerate(("airplane/1", "airplane/2", "ship/1", "ship/2")):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((40, 40, 3), 40 * number, "uint8")).save(path)
    return tmp_path / "photos"


@pytest.fixture
def sizes(monkeypatch):
    """What was measured in an invocation of a command."""

    def run(name, *arguments, stdin=None):
        for file in compiled_cache.folder().rglob("batch-size-*.json"):
            file.unlink()
        done = CliRunner().invoke(
            import_module(f"zoo.cli.{name}").command, [str(argument) for argument in arguments], input=stdin
        )
        logging.getLogger("zoo").handlers.clear()
        assert done.exit_code == 0, done.output
        return [
            json.loads(file.read_text())["batch_size"] for file in compiled_cache.folder().rglob("batch-size-*.json")
        ]

    monkeypatch.setattr(batch_tuning, "measure", lambda start, size: {1: 5.0, 2: 9.0})
    return run


def test_enough_is_what_takes_longer_than_measuring(monkeypatch):
    monkeypatch.setattr(batch_tuning, "WORTHWHILE", 10.0)
    assert [batch_tuning.images_needed(gmacs) for gmacs in (4.0, 0.3, None)] == [3, 34, 10]


def test_features_classify_and_evaluate_measure_where_it_pays(photos, sizes, tmp_path, monkeypatch):
    four = [photos, "-r", "-m", NETWORK, "--device", "cpu"]
    target = ["-o", tmp_path / "f.h5", "--overwrite"]
    assert sizes("features", *four, *target) == []
    monkeypatch.setattr(batch_tuning, "WORTHWHILE", 4 * registry.get(NETWORK).gmacs)
    assert sizes("features", *four, *target) == [2]
    assert sizes("features", *four, *target, "-b", 4) == []
    assert sizes("classify", *four) == [2]
    assert sizes("evaluate", "--dataset", photos, "-m", NETWORK, "--device", "cpu") == [2]
    # Three are too few, and of a list nobody knows.
    three = [*map(str, sorted(Path(photos).rglob("*.png"))[:3])]
    assert sizes("classify", *three, *four[2:]) == []
    assert sizes("classify", "-", *four[2:], stdin="\n".join([*three, three[0]])) == []


def test_as_few_images_are_counted_as_need_be(photos, monkeypatch):
    from zoo.cli import common
    from zoo.images import discovery

    given = []
    find = discovery.find
    monkeypatch.setattr(discovery, "find", lambda *a, **k: (given.append(one) or one for one in find(*a, **k)))
    assert common.has_at_least([str(photos)], 2, recursive=True)
    assert len(given) == 2
    assert not common.has_at_least([str(photos)], 5, recursive=True)
    given.clear()
    assert not common.has_at_least([str(photos)], 10**6, recursive=True)
    assert not given
