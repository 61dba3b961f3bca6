"""Local response normalisation against TensorFlow's own, and against the formula in NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from zoo.layers.normalization import local_response_normalization

#: TensorFlow's defaults; AlexNet's in Caffe; GoogLeNet's; a window wider than there are channels; no neighbours.
SETTINGS: list[dict[str, Any]] = [
    {},
    {"depth_radius": 2, "alpha": 2e-5, "beta": 0.75},
    {"depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
    {"depth_radius": 9, "bias": 0.5, "alpha": 0.3, "beta": 1.0},
    {"depth_radius": 0},
]


def pixels(channels: int = 7) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 3, (2, 3, 4, channels)).astype("float32")


def network(channels: int = 7, size: int | None = None, **setting: Any) -> keras.Model:
    inputs = keras.Input((size, size, channels))
    return keras.Model(inputs, local_response_normalization(inputs, name="norm1", **setting))


def by_formula(
    x: np.ndarray, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> np.ndarray:
    x = x.astype("float64")
    result = np.empty_like(x)
    for channel in range(x.shape[-1]):
        near = x[..., max(0, channel - depth_radius) : channel + depth_radius + 1]
        result[..., channel] = x[..., channel] / (bias + alpha * (near**2).sum(-1)) ** beta
    return result


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_formula(setting: dict[str, Any]) -> None:
    model = network(**setting)
    np.testing.assert_allclose(model.predict(pixels(), verbose=0), by_formula(pixels(), **setting), rtol=2e-6)
    assert model.layers[-1].name == "norm1"


@pytest.mark.parametrize("setting", SETTINGS)
def test_values_and_gradients_of_tensorflow(setting: dict[str, Any]) -> None:
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow")
    model, x = network(**setting), tf.constant(pixels())
    results = []
    for function in (model, lambda value: tf.nn.local_response_normalization(value, **setting)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            loss = tf.reduce_sum(tf.sin(y))
        results.append((y, tape.gradient(loss, x)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_half_precision_does_not_overflow() -> None:
    """500 squared is more than float16 holds."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        inputs = keras.Input((4, 4, 8))
        x = keras.layers.Activation("relu")(inputs)
        model = keras.Model(inputs, local_response_normalization(x, 2, alpha=2e-5, beta=0.75))
    finally:
        keras.config.set_dtype_policy(before)
    y = keras.ops.convert_to_numpy(model(np.full((1, 4, 4, 8), 500.0, "float32")))
    assert y.dtype == np.float16
    np.testing.assert_allclose(y, by_formula(np.full((1, 4, 4, 8), 500.0), 2, alpha=2e-5, beta=0.75), rtol=2e-3)


ELSEWHERE = """
import sys, numpy as np, keras
model = keras.models.load_model("norm.keras")
x, y = np.load("x.npy"), np.load("y.npy")
np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5)
model.export("norm.xml", format="openvino", verbose=False)
import openvino
compiled = openvino.Core().compile_model("norm.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
np.testing.assert_allclose(compiled(x)[0], y, rtol=1e-5)
assert "zoo" not in sys.modules
"""


def test_saved_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Keras on another backend loads it and writes it for OpenVINO."""
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    model = network(size=4, depth_radius=2, alpha=0.1, beta=0.75)
    x = np.random.default_rng(1).normal(0, 3, (2, 4, 4, 7)).astype("float32")
    model.save(tmp_path / "norm.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", model.predict(x, verbose=0))
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
