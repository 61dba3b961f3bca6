"""Small changes: the middle stays, the rim is grey, and the numbers say what is done."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from zoo.visualize.synthesis import transformations


@pytest.fixture
def none(monkeypatch):
    for name in ("PAD", "JITTER", "SCALE", "ROTATE"):
        monkeypatch.setattr(transformations, name, 0.0)


def shown(pixels, matrix, noise=0.0):
    return ops.convert_to_numpy(
        transformations.transform(ops.convert_to_tensor(pixels), ops.convert_to_tensor(matrix), noise)
    )


def image():
    return np.random.default_rng(0).uniform(0, 255, (2, 21, 31, 3)).astype("float32")


def drawn(**changes):
    return transformations.random_affine(21, 31, np.random.default_rng(1))


@pytest.mark.usefixtures("none")
def test_without_any_change_a_image_is_itself():
    assert np.allclose(shown(image(), drawn()), image(), atol=1e-3)


@pytest.mark.usefixtures("none")
def test_jitter_moves_a_image(monkeypatch):
    monkeypatch.setattr(transformations, "JITTER", 0.2)
    matrix = np.round(drawn())
    right, down = int(matrix[0, 2]), int(matrix[0, 5])
    assert (right, down) != (0, 0)
    assert np.allclose(shown(image(), matrix)[:, 8, 12], image()[:, 8 + down, 12 + right], atol=1e-3)


@pytest.mark.usefixtures("none")
@pytest.mark.parametrize(("name", "value"), [("PAD", 0.3), ("ROTATE", 30.0), ("SCALE", 0.4)])
def test_what_turns_or_scales_keeps_the_middle(monkeypatch, name, value):
    monkeypatch.setattr(transformations, name, value)
    found = shown(image(), drawn())
    assert np.allclose(found[:, 10, 15], image()[:, 10, 15], atol=1e-2)
    assert not np.allclose(found, image(), atol=5)


@pytest.mark.usefixtures("none")
def test_around_a_image_it_is_grey(monkeypatch):
    monkeypatch.setattr(transformations, "PAD", 0.3)
    assert np.allclose(shown(image(), drawn())[:, 0, 0], 127.5)


def test_noise_fades_and_is_the_same_for_the_same_seed():
    first, last = (transformations.random_noise(40, 40, 3, at, np.random.default_rng(0)) for at in (0.0, 1.0))
    assert first.shape == (1, 40, 40, 3) and first.std() == pytest.approx(transformations.NOISE, rel=0.05)
    assert not last.any()
    assert (first == transformations.random_noise(40, 40, 3, 0.0, np.random.default_rng(0))).all()
