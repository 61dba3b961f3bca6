"""The network that is looked at: what it says is what ``zoo classify`` says, where it was asked to run."""

from __future__ import annotations

import numpy as np
import pytest

from tests.visualize.networks import noise, of_quadrants, quadrant
from zoo import Classifier
from zoo.core.errors import UnavailableError, UsageError
from zoo.engines import devices, keras_backend
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file
from zoo.visualize.network.inspected_model import InspectedModel


@pytest.fixture
def file(tmp_path):
    """A network whose file has a temperature."""
    path = tmp_path / "net.keras"
    of_quadrants(quadrant(0, 1), quadrant(1, 0)).save(path)
    return path


def test_probabilities_have_the_temperature_of_the_file(file):
    images = noise(3)
    before = InspectedModel.open(str(file)).predict(images)
    keras_file.store_temperature(file, 2.5)
    opened = InspectedModel.open(str(file))
    after = opened.predict(images)
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after, apply_temperature(before, 2.5), atol=1e-6)
    # Fractions go another way, through Keras.
    np.testing.assert_allclose(opened.predict(images.astype("float32")), after, atol=1e-4)
    read = np.stack([opened.read(image) for image in images])
    for said, result in zip(opened.predict(read), Classifier(str(file)).predict(list(images)), strict=True):
        scores = {one.index: one.score for one in result.predictions}
        assert scores == pytest.approx(dict(enumerate(said.tolist())), abs=1e-5)


def test_a_device_that_keras_does_not_see_is_refused(file, monkeypatch):
    card = devices.Device("gpu:0", "gpu", "", None, None)
    monkeypatch.setattr(devices, "select", lambda request: card)
    monkeypatch.setattr(keras_backend, "sees_gpu", lambda backend: False)
    with pytest.raises(UnavailableError, match="does not see gpu:0"):
        InspectedModel.open(str(file), device="gpu")


def test_an_exported_network_is_one_sentence():
    with pytest.raises(UsageError, match="has no gradients any more"):
        InspectedModel.open("net.onnx")
