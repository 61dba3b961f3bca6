"""Images as waves: there and back, at any size, with the spectrum and the colours of photographs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from keras import ops
from PIL import Image

from tests.drawn import detailed
from zoo.visualize.synthesis import colour
from zoo.visualize.synthesis.fourier import Fourier, frequencies


def pixels_of(parameterisation, parameters):
    return ops.convert_to_numpy(parameterisation.pixels(ops.convert_to_tensor(parameters)))


@pytest.mark.parametrize(("height", "width", "channels"), [(32, 32, 3), (33, 46, 3), (28, 28, 1)])
def test_pixels_come_back_as_they_were(height, width, channels):
    images = np.clip(detailed(height, width)[None, ..., :channels], 12, 243)
    parameterisation = Fourier(height, width, channels)
    parameters = parameterisation.parameters(images)
    assert parameters.dtype == np.float32
    assert np.abs(pixels_of(parameterisation, parameters) - images).max() < 0.05


def test_the_start_is_faint_noise_on_grey():
    parameterisation = Fourier(64, 64)
    pixels = pixels_of(parameterisation, parameterisation.start(4, np.random.default_rng(0)))
    assert pixels.shape == (4, 64, 64, 3)
    assert np.abs(pixels - 127.5).max() < 25 and pixels.std() > 0.3


def test_noise_has_the_spectrum_of_photographs():
    """Amplitude is 1 / frequency: the power at a quarter of the frequency is 16 times as much."""
    plane = Fourier(128, 128, 1)
    logits = np.random.default_rng(0).standard_normal((16, 1, 128, 128)).astype("float32")
    pixels = pixels_of(plane, 0.01 * logits)[..., 0]
    power = np.mean(np.abs(np.fft.fft2(pixels)) ** 2, axis=0)
    at = frequencies(128, 128)
    low, high = (power[np.abs(at - middle) < 0.01].mean() for middle in (0.08, 0.32))
    assert low / high == pytest.approx(16, rel=0.25)


def test_frequencies_are_those_of_the_transform():
    assert frequencies(6, 8)[5, 0] == pytest.approx(1 / 6) and frequencies(6, 8)[0, 4] == pytest.approx(1 / 2)
    assert frequencies(6, 8)[3, 4] == pytest.approx(np.sqrt(0.5))


def test_colours_do_not_depend_on_one_another():
    mixing = colour.mixing()
    lengths = np.linalg.norm(mixing, axis=0)
    assert lengths[0] == pytest.approx(1, abs=1e-3) and lengths[0] > lengths[1] > lengths[2]
    assert np.allclose((mixing / lengths).T @ (mixing / lengths), np.eye(3), atol=1e-3)


@pytest.mark.slow
@pytest.mark.real
def test_the_colours_are_those_of_real_photographs(real_data):
    """The published components against those of 200 photographs of ImageNet: the same axes."""
    with open(real_data / "imagenet200" / "labels.csv") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    pixels = [np.asarray(Image.open(real_data / "imagenet200" / name).convert("RGB"))[::8, ::8] for name in names]
    _, axes = np.linalg.eigh(np.cov(np.concatenate([one.reshape(-1, 3) for one in pixels]).T))
    mixing = colour.mixing()
    cosines = np.abs(np.sum(axes[:, ::-1] * mixing, axis=0)) / np.linalg.norm(mixing, axis=0)
    assert (cosines > 0.97).all(), cosines
