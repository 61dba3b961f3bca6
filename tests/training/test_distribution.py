"""Several devices learn what one does; here they are parts of the CPU, each time in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.training.finetuning.toys import NETWORK, paint
from tests.training.two_devices import TOY
from zoo.engines import devices
from zoo.training import distribution

BACKENDS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed"),
    )
    for name in devices.PARALLEL
]


def python(*arguments, backend, cwd):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "KERAS_BACKEND": backend},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


# What is shared out


@given(st.integers(1, 20), st.integers(1, 5), st.booleans(), st.booleans())
def test_a_filled_batch_has_the_same_mean_loss(size, count, weighed, several):
    rng = np.random.default_rng(size)
    x, y = rng.random((size, 2)), rng.random((size, 3))
    weights = rng.random(size).astype("float32") if weighed else None
    filled = distribution.fill(x, [y, y] if several else y, [weights] * 2 if several and weighed else weights, count)
    assert len(filled[0]) % count == 0
    assert len(filled[0]) - size < count
    outputs = zip(filled[1], filled[2] or [None] * 2, strict=True) if several else [filled[1:]]
    for targets, own in outputs:
        assert len(targets) == len(filled[0])
        assert np.array_equal(targets[:size], y)
        assert not targets[size:].any()
        losses = filled[0].sum(1) + 3
        mean = np.mean(losses * (1 if own is None else own))
        assert mean == pytest.approx(np.mean((x.sum(1) + 3) * (1 if weights is None else weights)), rel=1e-5)


def test_an_even_batch_is_left_alone():
    x, y = np.zeros((6, 2)), np.zeros((6, 3))
    assert distribution.fill(x, y, None, 3) == (x, y, None)


def test_one_device_needs_nothing():
    with distribution.over([devices.Device("cpu", "cpu", "", None, None)]):
        assert type(distribution.current()) is distribution.Placement


# Two devices and one


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_two_devices_learn_what_one_does(backend, tmp_path):
    answer = json.loads(python("-m", "tests.training.two_devices", backend=backend, cwd=tmp_path))
    for case in ("sgd", "adamw", "nadam", "all", "batchnorm", "heads"):
        found = answer[case]
        # It has learnt, and on two devices.
        assert found["moved"] > 1e-3, case
        assert found["copied"], case
        assert found["copies"] == 2, case
        # To the same weights, by the same losses; a state goes from two devices to one.
        assert max(found["weights"], found["snapshots"], found["resumed"]) < 1e-5, (case, found)
        assert found["values"] < 1e-5, (case, found)
        assert found["as it was"] == 0, case
    own = {"seeds": 1, "same": True} if backend == "jax" else {"seeds": 2}
    assert answer["dropout"] == {**own, "diverged": True}
    assert "has 2 of the 4 devices" in answer["more"]
    assert max(answer["runs gone on with"]) < 1e-5
    assert answer["mixed_bfloat16"] < 0.02
    if backend == "jax":
        assert answer["mixed_float16"] < 0.02
    else:
        assert "precision=mixed_bfloat16" in answer["mixed_float16"]


def weights(run):
    import keras

    return keras.models.load_model(run / "model.keras").get_weights()


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_training_on_two_devices_ends_with_the_weights_of_one(backend, optimizer, tmp_path):
    paint(tmp_path / "pictures")
    (tmp_path / "toy.yaml").write_text(TOY)
    plain = ["augment={}", "precision=float32", "optimizer.momentum=0.9" if optimizer == "sgd" else "weight_decay=0.01"]
    for device in ("cpu", "cpu:0,cpu:1"):
        python(
            *("-m", "zoo", "train", "toy.yaml", "--dataset", "pictures", "-o", f"run-{device}", "--device", device),
            *("--epochs", 2, "-b", 10, "--val-split", 0.25, "--optimizer", optimizer, "--learning-rate", 0.003),
            *(part for change in plain for part in ("--set", change)),
            backend=backend,
            cwd=tmp_path,
        )
    one, two = weights(tmp_path / "run-cpu"), weights(tmp_path / "run-cpu:0,cpu:1")
    assert all(np.allclose(a, b, rtol=0, atol=1e-5) for a, b in zip(one, two, strict=True))
    assert json.loads((tmp_path / "run-cpu:0,cpu:1" / "metrics.json").read_text())["devices"] == ["cpu:0", "cpu:1"]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_fine_tuning_on_two_devices_ends_with_the_weights_of_one(backend, tmp_path):
    paint(tmp_path / "pictures")
    changes = ["augment={}", "precision=float32", "head.dropout=0", "unfreeze_from=stage3"]
    changes += ["phases.head.epochs=2", "phases.partial.epochs=2", "monitor=loss"]
    for device in ("cpu", "cpu:0,cpu:1"):
        python(
            *("-m", "zoo", "finetune", "--dataset", "pictures", "-m", NETWORK, "-o", f"run-{device}"),
            *("--mode", "partial", "--device", device, "-b", 10, "--val-split", 0.25),
            *(part for change in changes for part in ("--set", change)),
            backend=backend,
            cwd=tmp_path,
        )
    one, two = weights(tmp_path / "run-cpu"), weights(tmp_path / "run-cpu:0,cpu:1")
    assert all(np.allclose(a, b, rtol=0, atol=1e-5) for a, b in zip(one, two, strict=True))
    assert json.loads((tmp_path / "run-cpu:0,cpu:1" / "metrics.json").read_text())["best_phase"] == "partial"
