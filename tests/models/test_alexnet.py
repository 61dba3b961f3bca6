"""AlexNet against its formulas in NumPy, from a file of weights in the layout in which Caffe's are passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.models import create_model, find_layer

#: The least image, for which a NumPy without convolutions is quick enough.
SIZE = 67
#: Input channels of a group, filters, size and groups of each convolution.
CONVOLUTIONS = {
    "conv1": (3, 96, 11, 1),
    "conv2": (48, 256, 5, 2),
    "conv3": (256, 384, 3, 1),
    "conv4": (192, 384, 3, 2),
    "conv5": (192, 256, 3, 2),
}
CLASSES = 1000


def caffe_weights() -> dict[str, list[np.ndarray]]:
    """Random weights, by which activations neither die out nor explode."""
    rng = np.random.default_rng(0)
    shapes = {name: (size, size, channels, filters) for name, (channels, filters, size, _) in CONVOLUTIONS.items()}
    dense = {"fc6": (256, 4096), "fc7": (4096, 4096), "fc8": (4096, CLASSES)}
    weights: dict[str, list[np.ndarray]] = {}
    for name, shape in {**shapes, **dense}.items():
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        kernel = rng.standard_normal(shape, dtype="float32") * deviation
        weights[name] = [kernel.astype("float32"), rng.uniform(-0.1, 0.1, shape[-1]).astype("float32")]
    # Pixels of 0-255 are large, and the answers of random layers hardly differ.
    weights["conv1"][0] *= 0.3
    weights["fc8"][0] *= 0.5
    return weights


@pytest.fixture(scope="module")
def weights() -> dict[str, list[np.ndarray]]:
    return caffe_weights()


@pytest.fixture(scope="module")
def file(weights: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("caffe") / "bvlc_alexnet.npy"
    np.save(path, weights, allow_pickle=True)
    return path


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, *, strides: int = 1, pad: int = 0) -> np.ndarray:
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(0, 1))[::strides, ::strides]
    return np.asarray(np.einsum("yxcij,ijcf->yxf", windows, kernel, optimize=True) + bias)


def grouped(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, *, pad: int) -> np.ndarray:
    """Two networks side by side, as on the paper's two graphics cards."""
    channels, filters = x.shape[-1] // 2, kernel.shape[-1] // 2
    first = convolve(x[..., :channels], kernel[..., :filters], bias[:filters], pad=pad)
    second = convolve(x[..., channels:], kernel[..., filters:], bias[filters:], pad=pad)
    return np.concatenate([first, second], axis=-1)


def pool(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2].max(axis=(-1, -2)))


def normalise(x: np.ndarray) -> np.ndarray:
    """Caffe's ``local_size: 5, alpha: 0.0001, beta: 0.75``."""
    padded = np.pad(x**2, ((0, 0), (0, 0), (2, 2)))
    sums = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=-1).sum(-1)
    return np.asarray(x / (1 + 0.0001 / 5 * sums) ** 0.75)


def forward(image: np.ndarray, weights: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    """What each layer says of one image, RGB 0-255, in double precision."""

    def relu(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.maximum(x, 0))

    w: dict[str, Any] = {name: [array.astype("float64") for array in arrays] for name, arrays in weights.items()}
    x = image[..., ::-1].astype("float64") - [103.939, 116.779, 123.68]
    seen = {"conv1": (x := relu(convolve(x, *w["conv1"], strides=4)))}
    seen["norm1"] = x = normalise(x)
    seen["pool1"] = x = pool(x)
    seen["conv2"] = x = relu(grouped(x, *w["conv2"], pad=2))
    seen["norm2"] = x = normalise(x)
    x = pool(x)
    seen["conv3"] = x = relu(convolve(x, *w["conv3"], pad=1))
    x = relu(grouped(x, *w["conv4"], pad=1))
    x = relu(grouped(x, *w["conv5"], pad=1))
    seen["pool5"] = x = pool(x)
    seen["fc6"] = x = relu(x.reshape(-1) @ w["fc6"][0] + w["fc6"][1])
    x = relu(x @ w["fc7"][0] + w["fc7"][1])
    logits = x @ w["fc8"][0] + w["fc8"][1]
    exponentials = np.exp(logits - logits.max())
    seen["predictions"] = exponentials / exponentials.sum()
    return seen


def test_caffe_weights_give_what_the_formulas_give(file: Path, weights: Any) -> None:
    import keras

    model = create_model("alexnet", file, input_shape=(SIZE, SIZE, 3))
    images = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    names = ["conv1", "norm1", "pool1", "conv2", "norm2", "conv3", "pool5", "fc6", "predictions"]
    seen = keras.Model(model.input, [find_layer(model, name).output for name in names])
    outputs = [keras.ops.convert_to_numpy(output) for output in seen(images.astype("float32"))]
    for index, image in enumerate(images):
        expected = forward(image, weights)
        assert expected["predictions"].max() > 5 / CLASSES
        # Normalisation that did nothing would be no test of it.
        assert np.abs(expected["norm1"] - expected["conv1"]).max() > 0.1 * expected["conv1"].max()
        for name, output in zip(names, outputs, strict=True):
            scale = np.abs(expected[name]).max()
            np.testing.assert_allclose(output[index], expected[name], atol=2e-5 * scale, err_msg=name)


def test_first_layer() -> None:
    model = create_model("alexnet", None, input_shape=(SIZE, SIZE, 3), include_top=False)
    assert find_layer(model, "conv1").count_params() == 34_944
    assert find_layer(model, "conv2").kernel.shape == (5, 5, 48, 256)


def test_new_classes_keep_the_rest(file: Path, weights: Any) -> None:
    """As for the traffic signs: fc7's features, and 43 classes above them."""
    model = create_model("alexnet", file, input_shape=(SIZE, SIZE, 3), num_classes=43)
    assert find_layer(model, "predictions").count_params() == 176_171
    np.testing.assert_array_equal(find_layer(model, "fc7").kernel, weights["fc7"][0])
    trunk = create_model("alexnet", file, input_shape=(SIZE, SIZE, 3), include_top=False)
    np.testing.assert_array_equal(find_layer(trunk, "conv5").kernel, weights["conv5"][0])
