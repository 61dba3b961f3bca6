"""SqueezeNet: pooling over the edge, and the shared weights on real photographs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from zoo.models import create_model, find_layer
from zoo.models.squeezenet import SqueezeNet


@pytest.mark.parametrize("size", range(17, 40))
def test_the_last_window_reaches_over_the_edge(size: int) -> None:
    """As many windows as Caffe and PyTorch count: rounded up, and each has a pixel."""
    network = SqueezeNet((size, size, 3), include_top=False)
    side = (size - 3) // 2 + 1
    for name in ("pool1", "pool3", "pool5"):
        side = -(-(side - 3) // 2) + 1
        assert find_layer(network, name).output.shape[1:3] == (side, side)


def test_nothing_is_lost_at_the_edge() -> None:
    """The last row and column count, which pooling without a margin would leave out."""
    network = SqueezeNet((18, 18, 3), include_top=False)
    before, after = find_layer(network, "conv1").output, find_layer(network, "pool1").output
    assert before.shape[1:3] == (8, 8) and after.shape[1:3] == (4, 4)
    cut = keras.Model(before, after)
    x = np.random.default_rng(0).uniform(0, 1, (1, 8, 8, 64)).astype("float32")
    pooled = keras.ops.convert_to_numpy(cut(x))
    np.testing.assert_array_equal(pooled[0, 3, 3], x[0, 6:, 6:].max((0, 1)))
    np.testing.assert_array_equal(pooled[0, 0, 0], x[0, :3, :3].max((0, 1)))


@pytest.mark.real
def test_arrays_by_name_load(real_data: Path) -> None:
    source = real_data / "weights" / "squeezenet1_1.npz"
    network = create_model("squeezenet1.1", source)
    with np.load(source) as arrays:
        for name in ("conv1", "fire5/expand3x3", "conv10"):
            layer = find_layer(network, name.replace("/", "_"))
            np.testing.assert_array_equal(layer.kernel, arrays[f"{name}/kernel"])
            np.testing.assert_array_equal(layer.bias, arrays[f"{name}/bias"])


@pytest.mark.real
@pytest.mark.slow
def test_photographs(zoo: Any, real_data: Path, tmp_path: Path) -> None:
    """Imported by hand and asked as a person would; plain Keras gets 0.64 and 0.845 of these right."""
    imported = zoo("cache", "import", real_data / "weights" / "squeezenet1_1.npz", "--as", "squeezenet1.1")
    assert imported.returncode == 0, imported.stderr
    listed = {row["model"]: row for row in json.loads(zoo("cache", "list", "--format", "json").stdout)}
    row = listed["squeezenet1.1"]
    assert (row["tag"], row["origin"], row["verified"]) == ("imagenet", "imported", True)
    assert row["path"].endswith(".weights.h5")

    done = zoo("classify", real_data / "imagenet200", "-m", "squeezenet", "-o", tmp_path / "answers.jsonl")
    assert done.returncode == 0, done.stderr
    with (real_data / "imagenet200" / "labels.csv").open() as lines:
        truth = {row["file"]: int(row["index"]) for row in csv.DictReader(lines)}
    best, among_five = [], []
    for line in (tmp_path / "answers.jsonl").read_text().splitlines():
        row = json.loads(line)
        answers = [prediction["index"] for prediction in row["predictions"]]
        index = truth[Path(row["path"]).relative_to(real_data / "imagenet200").as_posix()]
        best.append(answers[0] == index)
        among_five.append(index in answers)
    assert len(best) == 200
    assert np.mean(best) >= 0.63
    assert np.mean(among_five) >= 0.83
