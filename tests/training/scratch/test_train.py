"""Training as a library: what can be learnt is learnt, and a stop anywhere changes nothing."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from zoo.core.errors import UnavailableError, UsageError
from zoo.engines import devices, keras_backend
from zoo.training import epochs
from zoo.training import recipe as recipes
from zoo.training.callbacks.base import Callback
from zoo.training.scratch import train
from zoo.training.settings import Settings

NETWORK = """\
name: toy
input: 16
classes: 3
preprocessing: unit
resize: {policy: squash}
layers:
  - Conv2D: {filters: 8, kernel_size: 3, padding: same, use_bias: false}
  - BatchNormalization: {momentum: 0.5}
  - ReLU
  - MaxPooling2D: 4
  - head:
      - Flatten
      - Dropout: 0.2
      - Dense: {units: $classes, activation: softmax, dtype: float32, name: predictions}
"""


def paint(folder, counts=(20, 20, 20), *, random_labels=False, seed=0):
    """Images whose class is where their bright half is: left, right or nowhere."""
    rng = np.random.default_rng(seed)
    for label, (name, count) in enumerate(zip(("left", "right", "neither"), counts, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            shown = rng.integers(3) if random_labels else label
            pixels = rng.integers(0, 120, (16, 16, 3))
            if shown == 0:
                pixels[:, :8] += 100
            elif shown == 1:
                pixels[:, 8:] += 100
            Image.fromarray(pixels.astype("uint8")).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def images(tmp_path):
    return paint(tmp_path / "pictures")


@pytest.fixture
def network(tmp_path):
    file = tmp_path / "toy.yaml"
    file.write_text(NETWORK)
    return file


def settings(network, images, *changes, **fields):
    standard = ["optimizer=adam", "augment={}", "augment.flip=vertical", "label_smoothing=0", "precision=float32"]
    recipe = recipes.load("default", [*standard, *changes], epochs=fields.pop("epochs", 3), batch_size=8)
    return Settings(
        model=str(network), dataset=str(images), recipe=recipe, device="cpu", val_split=0.25, seed=3, **fields
    )


class StopAfter(Callback):
    """Asks for a stop after so many steps."""

    def __init__(self, steps):
        self.left = steps

    def on_train_batch_end(self, progress):
        self.left -= 1

    def should_stop(self):
        return self.left <= 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run, its images and its outcome, for tests that only look at the result."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "toy.yaml").write_text(NETWORK)
    images = paint(folder / "images")
    ready = settings(folder / "toy.yaml", images, "learning_rate=0.01", epochs=25, test_split=0.2)
    return images, train.start(ready, folder / "run")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was not stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "toy.yaml").write_text(NETWORK)
    return train.start(settings(folder / "toy.yaml", paint(folder / "images"), "average=0.9"), folder / "run")


def weights(run):
    import keras

    return keras.models.load_model(run / "model.keras").get_weights()


def test_what_can_be_learnt_is_learnt_and_everything_is_left_behind(trained):
    _, outcome = trained
    assert outcome.status == "finished"
    assert outcome.metrics["test"]["top1"] >= 0.9
    assert sorted(file.name for file in outcome.run.iterdir() if file.name != "mistakes.png") == [
        "checkpoint.npz",
        "config.yaml",
        "confusion.png",
        "curves.png",
        "history.csv",
        "metrics.json",
        "model.keras",
        "network.yaml",
        "predictions.csv",
        "report.html",
        "split.csv",
    ]
    with (outcome.run / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [float(row["epoch"]) for row in rows] == list(range(1, 26))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) / 2
    metrics = json.loads((outcome.run / "metrics.json").read_text())
    assert {"train", "val", "test", "seconds"} <= set(metrics)
    with (outcome.run / "split.csv").open() as lines:
        parts = [row["split"] for row in csv.DictReader(lines)]
    assert {name: parts.count(name) for name in ("train", "val", "test")} == {
        "train": 60 - metrics["val"]["n"] - metrics["test"]["n"],
        "val": metrics["val"]["n"],
        "test": metrics["test"]["n"],
    }


def test_the_result_is_one_file_that_knows_its_classes(trained):
    import zoo
    from zoo.pretrained import keras_file

    images, outcome = trained
    about = keras_file.read_metadata(outcome.run / "model.keras")
    assert about["classes"] == ["left", "neither", "right"]
    assert about["metrics"]["val"]["top1"] == outcome.metrics["val"]["top1"]
    assert about["split_sha256"] == hashlib.sha256((outcome.run / "split.csv").read_bytes()).hexdigest()
    files = sorted(images.glob("*/*.png"))
    results = zoo.Classifier(str(outcome.run / "model.keras"), device="cpu").predict(files)
    right = sum(result.label == file.parent.name for result, file in zip(results, files, strict=True))
    assert right / len(files) > 0.8


def test_plain_keras_opens_the_result_without_zoo(trained, tmp_path):
    _, outcome = trained
    code = (
        "import sys; sys.modules['zoo'] = None\n"
        "import keras, numpy as np\n"
        f"model = keras.models.load_model({str(outcome.run / 'model.keras')!r})\n"
        "print(model.predict(np.full((2, 16, 16, 3), 200, 'uint8'), verbose=0).sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert float(done.stdout.split()[-1]) == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("steps", [3, 7, 12])
def test_a_run_that_was_stopped_ends_with_the_same_weights(whole, network, images, tmp_path, steps):
    first = train.start(settings(network, images, "average=0.9"), tmp_path / "part", callbacks=[StopAfter(steps)])
    assert first.status == "stopped"
    # The description is changed meanwhile; the run has its own copy.
    network.write_text(NETWORK.replace("filters: 8", "filters: 4"))
    second = train.resume(tmp_path / "part")
    assert second.status == "finished"
    for one, other in zip(weights(whole.run), weights(second.run), strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole.metrics["val"]["top1"] == second.metrics["val"]["top1"]
    with (whole.run / "history.csv").open() as a, (second.run / "history.csv").open() as b:
        for one, other in zip(csv.DictReader(a), csv.DictReader(b), strict=True):
            assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-5)
            assert one["val_loss"] == other["val_loss"]


def test_a_network_without_a_name_is_called_like_its_file_to_the_end(network, images, tmp_path):
    from zoo.pretrained import keras_file

    network.write_text("# Mine.\n" + NETWORK.removeprefix("name: toy\n"))
    first = train.start(settings(network, images), tmp_path / "run", callbacks=[StopAfter(3)])
    assert first.status == "stopped"
    assert (tmp_path / "run" / "network.yaml").read_text() == "# Mine.\n" + NETWORK.replace("toy", '"toy"')
    train.resume(tmp_path / "run")
    assert keras_file.read_metadata(tmp_path / "run" / "model.keras")["network"] == "toy"


@pytest.mark.parametrize(
    "text",
    [
        "---\r\n# Größe\r\ninput: 8\r\nclasses: 2\r\nlayers: [Flatten, Dense: [$classes, softmax]]\r\n",
        "  input: 8\n  classes: 2\n  layers:\n    - Flatten\n    - Dense: [$classes, softmax]\n",
        "&all\n'input': 8\nclasses: 2\nlayers: [Flatten, Dense: [$classes, softmax]]\n",
        '{"input": 8, "classes": 2, "layers": ["Flatten", {"Dense": ["$classes", "softmax"]}]}',
        "name: '7.5'\ninput: 8\nclasses: 2\nlayers: [Flatten, Dense: [$classes, softmax]]\n",
    ],
    ids=["crlf", "indented", "anchor", "json", "named"],
)
def test_the_copy_of_a_network_has_its_name(tmp_path, text):
    from zoo.catalog import registry
    from zoo.training.run import Run

    file = tmp_path / "7.5.yaml"
    file.write_bytes(text.encode())
    run = Run(tmp_path / "run")
    run.create()
    run.copy_network(registry.get(file))
    copy = registry.get(run.network)
    assert (copy.name, copy.input_size, copy.classes) == ("7.5", (8, 8), 2)
    if "name" in text:
        assert run.network.read_bytes() == file.read_bytes()


def test_one_seed_gives_one_network_and_another_seed_another(network, images, tmp_path):
    from dataclasses import replace

    same = [weights(train.start(settings(network, images, epochs=1), tmp_path / name).run) for name in ("a", "b")]
    other = weights(train.start(replace(settings(network, images, epochs=1), seed=4), tmp_path / "c").run)
    for one, two in zip(*same, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(not np.array_equal(one, two) for one, two in zip(same[0], other, strict=True))


def test_a_time_limit_ends_the_training_with_the_rate_down(network, images, tmp_path, ticking):
    changes = ["schedule=cosine", "schedule.warmup=0", "learning_rate=0.01"]
    outcome = train.start(settings(network, images, *changes, epochs=100_000, time_limit=3), tmp_path / "run")
    assert outcome.status == "time"
    with (outcome.run / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    rates, seconds = ([float(row[key]) for row in rows] for key in ("learning_rate", "seconds"))
    assert rates[0] > 2e-3 > 1e-3 > rates[-1]
    # The epoch in which the time was over is the last one, and is evaluated.
    assert seconds[-2] < 3 <= outcome.metrics["seconds"]["training"] + outcome.metrics["seconds"]["judging"]
    assert seconds[-1] < 3.2
    assert len(weights(outcome.run)) == 7
    again = train.resume(outcome.run)
    assert (again.status, again.epochs) == ("time", outcome.epochs)


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_is_refused(network, images, seconds):
    with pytest.raises(UsageError, match="above 0"):
        settings(network, images, time_limit=seconds)


def test_patience_ends_the_training_for_good(network, images, tmp_path):
    outcome = train.start(settings(network, images, "patience=2", "learning_rate=0", epochs=50), tmp_path / "run")
    assert outcome.status == "early"
    assert outcome.epochs <= 4
    before = weights(outcome.run)
    again = train.resume(outcome.run)
    assert (again.status, again.epochs) == ("early", outcome.epochs)
    for one, other in zip(before, weights(again.run), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_loss_becomes_nan_and_what_was_saved_stays(network, images, tmp_path):
    changes = ["optimizer=sgd", "learning_rate=1e30", "schedule=constant", "clip_norm=null"]
    with pytest.raises(UnavailableError, match=r"NaN at epoch 1, step \d+ .*--learning-rate") as caught:
        train.start(settings(network, images, *changes), tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "run" / "config.yaml").is_file()


def test_a_full_disk_at_the_third_epoch_loses_nothing(network, images, tmp_path, monkeypatch):
    monkeypatch.setattr(epochs, "SAVE_EVERY", 0.0)
    whole = train.start(settings(network, images, epochs=4), tmp_path / "whole")
    save, calls = np.savez, []

    def full(file, **arrays):
        calls.append(1)
        if len(calls) == 3:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(file, **arrays)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(UnavailableError, match="no space left on device"):
        train.start(settings(network, images, epochs=4), tmp_path / "run")
    monkeypatch.undo()
    again = train.resume(tmp_path / "run")
    assert again.epochs == 4
    for one, other in zip(weights(whole.run), weights(again.run), strict=True):
        np.testing.assert_array_equal(one, other)


def test_unreadable_images_are_named_and_left_alone(network, images, tmp_path):
    broken = images / "left" / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    before = broken.read_bytes()
    outcome = train.start(settings(network, images, epochs=1), tmp_path / "run")
    assert [item["path"] for item in outcome.metrics["failed"]] == [str(broken)]
    assert broken.read_bytes() == before


def test_fewer_readable_images_than_a_batch_are_one_batch(network, tmp_path):
    folder = paint(tmp_path / "few", counts=(3, 3, 3))
    (folder / "left" / "0.png").write_bytes(b"nothing")
    outcome = train.start(settings(network, folder, "batch_size=64", epochs=1), tmp_path / "run")
    assert outcome.status == "finished"


def test_a_name_that_is_no_text_is_trained_on_and_resumed(network, images, tmp_path):
    os.rename(images / "left" / "0.png", os.fsencode(images / "left") + b"/caf\xe9.png")
    assert train.start(settings(network, images), tmp_path / "run", callbacks=[StopAfter(2)]).status == "stopped"
    assert train.resume(tmp_path / "run").status == "finished"
    assert b"caf\xe9.png" in (tmp_path / "run" / "split.csv").read_bytes()


def test_another_data_set_is_no_continuation(network, images, tmp_path):
    train.start(settings(network, images), tmp_path / "run", callbacks=[StopAfter(2)])
    (images / "left" / "0.png").unlink()
    with pytest.raises(UsageError, match="not those that"):
        train.resume(tmp_path / "run")


def test_a_folder_with_something_in_it_is_left_alone(network, images, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("five years")
    with pytest.raises(UsageError, match="not empty"):
        train.start(settings(network, images), tmp_path / "run")
    with pytest.raises(UsageError, match="no run of zoo"):
        train.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("optimizer=adamm", "Did you mean 'adam'"),
        ("optimizer.momentumm=0.9", "no argument 'momentumm'"),
        ("loss=mse", "classifies"),
    ],
)
def test_a_recipe_that_does_not_fit_is_said_before_anything_is_written(network, images, tmp_path, change, words):
    with pytest.raises(UsageError, match=words):
        train.start(settings(network, images, change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_balanced_classes_weigh_the_rare_one_more(network, tmp_path, monkeypatch):
    from zoo.training.learner import Learner

    given = []
    weigh = Learner.weigh_classes
    monkeypatch.setattr(Learner, "weigh_classes", lambda self, values: (given.append(values), weigh(self, values)))
    folder = paint(tmp_path / "few", counts=(40, 40, 9))
    # Images that cannot be read do not count.
    (folder / "right" / "0.png").write_bytes(b"nothing")
    changes = ["learning_rate=0.01", "class_weights=balanced"]
    train.start(settings(network, folder, *changes, epochs=1), tmp_path / "run")
    with (tmp_path / "run" / "split.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "train" and row["path"] != "right/0.png"]
    counts = np.array([sum(row["label"] == name for row in rows) for name in ("left", "neither", "right")])
    np.testing.assert_allclose(given[0], len(rows) / (3 * counts))


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_and_the_result_is_float32(network, images, tmp_path, precision):
    import keras

    changes = [f"precision={precision}", "learning_rate=0.01", "accumulate=2"]
    outcome = train.start(settings(network, images, *changes, epochs=20), tmp_path / "run")
    assert outcome.metrics["val"]["top1"] > 0.6
    loaded = keras.models.load_model(outcome.run / "model.keras")
    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}


def test_from_python_in_one_call(network, images, tmp_path, monkeypatch):
    import zoo

    monkeypatch.chdir(tmp_path)
    options = {"epochs": 1, "batch_size": 8, "device": "cpu", "changes": ["augment={}"], "variables": {"filters": 4}}
    network.write_text(NETWORK.replace("filters: 8", "filters: $filters") + "variables: {filters: 8}\n")
    outcome = zoo.train(str(network), images, **options)
    assert str(outcome.run) == "runs/toy-1"
    assert weights(outcome.run)[0].shape == (3, 3, 3, 4)


def test_a_network_of_nameless_layers_in_python(images, tmp_path):
    import keras

    import zoo

    @zoo.register_model("nameless", input_size=(16, 16), preprocessing="unit", classes=3, policy="squash")
    def nameless(input_shape, classes):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Conv2D(4, 3, activation="relu"),
                keras.layers.Conv2D(4, 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(classes, activation="softmax"),
            ]
        )

    outcome = train.start(settings("nameless", images, "learning_rate=0.01", epochs=15), tmp_path / "run")
    assert outcome.metrics["val"]["top1"] > 0.6
    before = weights(outcome.run)
    assert all(np.abs(value).sum() > 0 for value in before)


def test_a_network_that_draws_is_judged_by_its_error(images, tmp_path):
    outcome = train.start(
        Settings(
            model="conv-autoencoder",
            dataset=str(images),
            recipe=recipes.load("autoencoder", epochs=1),
            device="cpu",
            val_split=0.25,
        ),
        tmp_path / "run",
    )
    numbers = json.loads((outcome.run / "metrics.json").read_text())
    assert 0 < numbers["val"]["loss"] < 1
    with (outcome.run / "history.csv").open() as lines:
        assert float(next(csv.DictReader(lines))["val_loss"]) == pytest.approx(numbers["val"]["loss"], rel=1e-3)


def test_a_gpu_that_keras_does_not_see_is_refused_before_anything_is_written(network, images, tmp_path, monkeypatch):
    # A framework that is loaded already is not told which card to take.
    monkeypatch.setattr(devices, "prepare", lambda device: "tensorflow")
    card = devices.Device("gpu:0", "gpu", "", None, None)
    monkeypatch.setattr(devices, "select_several", lambda request: (card,))
    monkeypatch.setattr(keras_backend, "sees_gpu", lambda backend: False)
    with pytest.raises(UnavailableError, match="does not see gpu:0"):
        train.start(settings(network, images), tmp_path / "run")
    assert not (tmp_path / "run").exists()
