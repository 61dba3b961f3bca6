"""The mistakes on the page of a run have a map beside them, and a run does not end for want of one."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import layers

from tests.drawn import detailed
from zoo.training.callbacks.report_page import with_grad_cams
from zoo.training.report import GalleryImage

#: Every class has evidence wherever there is light.
POSITIVE = keras.initializers.RandomUniform(0.1, 1, seed=0)


@pytest.fixture
def mistakes():
    """Three mistakes of a network of two classes."""
    images = [detailed(24, 24, seed=seed) for seed in range(3)]
    predictions = SimpleNamespace(
        wrong=np.array([4, 0, 2]),
        predicted=np.array([1, 0, 1, 0, 1]),
        scores=np.tile(np.float32([0.4, 0.6]), (5, 1)),
    )
    return predictions, [GalleryImage(f"{n}.jpg", "a", "b", 0.6, pixels=pixels) for n, pixels in enumerate(images)]


def model_file(tmp_path: Path, *inner: keras.Layer) -> Path:
    head = layers.Dense(2, activation="softmax", kernel_initializer=POSITIVE)
    model = keras.Sequential([keras.Input((24, 24, 3)), *inner, head])
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def test_each_mistake_has_the_map_of_the_class_that_was_named(mistakes, tmp_path):
    predictions, shown = mistakes
    model = model_file(
        tmp_path,
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, activation="relu", kernel_initializer=POSITIVE),
        layers.GlobalAveragePooling2D(),
    )
    found = with_grad_cams(model, predictions, shown)
    assert [one.path for one in found] == ["0.jpg", "1.jpg", "2.jpg"]
    drawn = [one.overlay for one in found if one.overlay is not None]
    assert len(drawn) == 3 and all(overlay.shape == (24, 24, 3) and overlay.dtype == np.uint8 for overlay in drawn)
    assert all((one.pixels == before.pixels).all() for one, before in zip(found, shown, strict=True))


def test_a_network_without_a_map_costs_the_maps_alone(mistakes, tmp_path, caplog):
    predictions, shown = mistakes
    with caplog.at_level(logging.DEBUG, logger="zoo"):
        found = with_grad_cams(model_file(tmp_path, layers.Flatten()), predictions, shown)
    assert found == shown
    assert "no Grad-CAM of the mistakes" in caplog.text
    assert with_grad_cams(tmp_path, predictions, []) == []
