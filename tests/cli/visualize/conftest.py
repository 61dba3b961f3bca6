"""A small network in a file, images, and commands run within the tests' own process, which has Keras already."""

from __future__ import annotations

import importlib
import json
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.drawn import detailed


@pytest.fixture(scope="session")
def little(tmp_path_factory):
    """A network that somebody saved with plain Keras: 32×32 pixels, three classes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Rescaling(1 / 255, name="scaled"),
            layers.Conv2D(8, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(12, 3, activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(name="mean"),
            layers.Dense(3, activation="softmax", name="head"),
        ],
        name="little",
    )
    path = tmp_path_factory.mktemp("network") / "little.keras"
    network.save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    """A folder of two images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(detailed(60, 80, seed=number)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A cache for all of these tests, so that the network is compiled once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def visualize(compiled, monkeypatch):
    """Run ``zoo visualize COMMAND …``; its exit status, rows and messages."""
    monkeypatch.setenv("ZOO_CACHE", str(compiled))

    def run(command, *arguments):
        # The log goes to the standard error of the first run otherwise.
        logging.getLogger("zoo").handlers.clear()
        module = importlib.import_module(f"zoo.cli.visualize.{command}")
        done = CliRunner().invoke(module.command, [str(argument) for argument in arguments])
        logging.getLogger("zoo").handlers.clear()
        lines = done.stdout.splitlines()
        rows = [json.loads(line) for line in lines] if all(line.startswith("{") for line in lines) else []
        return SimpleNamespace(status=done.exit_code, rows=rows, stdout=done.stdout, stderr=done.stderr)

    return run


def read(path):
    """An image that was written: uint8 (height, width, 3)."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.array(image)
