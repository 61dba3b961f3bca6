"""Fine-tuning as a library: what can be learnt is learnt, nothing frozen moves, and a stop anywhere changes nothing."""

from __future__ import annotations

import csv
import html
import json
import os
import tempfile
from dataclasses import replace

import numpy as np
import pytest

from tests.training.finetuning.conftest import run_in_keras
from tests.training.finetuning.toys import NETWORK, paint
from tests.training.scratch.test_train import StopAfter
from zoo.core.errors import UsageError, WeightsError
from zoo.training import epochs
from zoo.training.finetuning import finetune
from zoo.training.finetuning import recipe as recipes
from zoo.training.settings import Settings

pytestmark = pytest.mark.usefixtures("plain_engine")

QUICK = ("augment={flip: horizontal}", "precision=float32", "batch_size=8", "views=2", "label_smoothing=0")


def settings(images, mode="auto", *changes, **fields):
    model = fields.pop("model", NETWORK)
    epochs = ["phases.head.epochs=6", "phases.partial.epochs=2", "phases.full.epochs=2", "phases.scratch.epochs=2"]
    rate = ["phases.head.learning_rate=0.01"]
    recipe = recipes.load("default", [*QUICK, *epochs, *rate, *changes], mode=mode)
    return Settings(
        model=model, dataset=str(images), recipe=recipe, device="cpu", val_split=0.25, **{"seed": 3, **fields}
    )


@pytest.fixture(scope="module")
def shared():
    """Caches of this module's runs, and an engine that needs no compiling."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("ZOO_CACHE", folder)
        patch.setenv("ZOO_OFFLINE", "1")
        run_in_keras(patch)
        yield


@pytest.fixture(scope="module")
def head_run(shared, tmp_path_factory):
    """A finished run of the head alone and its images, for tests that only look at the result."""
    folder = tmp_path_factory.mktemp("head")
    images = paint(folder / "images")
    return images, finetune.start(settings(images, "head"), folder / "run")


RESUMED = ("average=0.9", "phases.partial.average_best=2", "unfreeze_from=stage3")


@pytest.fixture(scope="module")
def whole(shared, tmp_path_factory):
    """A run that was not stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return finetune.start(settings(paint(folder / "images"), "partial", *RESUMED), folder / "run")


def weights(run):
    """Arrays of a finished network by layer."""
    import keras

    model = keras.models.load_model(run / "model.keras")
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def pretrained():
    import zoo

    model = zoo.create_model(NETWORK, include_top=False)
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_colours_are_learnt_and_everything_is_left_behind(images, tmp_path):
    outcome = finetune.start(settings(images, test_split=0.2), tmp_path / "run")
    assert outcome.status == "finished"
    assert outcome.metrics["test"]["top1"] >= 0.9
    assert {"train", "val", "test", "seconds", "plan", "best_phase"} <= set(outcome.metrics)
    names = {file.name for file in outcome.run.iterdir()} - {"mistakes.png"}
    assert names == {
        "checkpoint.npz",
        "config.yaml",
        "confusion.png",
        "curves.png",
        "history.csv",
        "metrics.json",
        "model.keras",
        "predictions.csv",
        "report.html",
        "split.csv",
    }
    with (outcome.run / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["phase"] for row in rows] == ["1"] * 6 + ["2"] * 2
    assert [int(row["epoch"]) for row in rows] == list(range(1, 9))


def test_the_result_is_one_file_that_knows_where_it_comes_from(head_run):
    import zoo
    from zoo.pretrained import keras_file

    images, outcome = head_run
    about = keras_file.read_metadata(outcome.run / "model.keras")
    assert about["classes"] == ["blue", "green", "red"]
    assert about["backbone"] == NETWORK
    assert len(about["weights_sha256"]) == 64
    assert about["metrics"]["val"]["top1"] == outcome.metrics["val"]["top1"]
    files = sorted(images.glob("*/*.png"))
    results = zoo.Classifier(str(outcome.run / "model.keras"), device="cpu").predict(files)
    assert np.mean([result.label == file.parent.name for result, file in zip(results, files, strict=True)]) > 0.8


def test_a_head_leaves_the_network_as_it_was(head_run):
    _, outcome = head_run
    before, after = pretrained(), weights(outcome.run)
    assert set(after) - set(before) == {"predictions"}
    assert all(same(before[name], after[name]) for name in before)


def test_partial_moves_the_upper_part_and_no_statistics(images, tmp_path):
    import zoo

    model = zoo.create_model(NETWORK, include_top=False)
    names = [operation.name for operation in model.operations]
    weighty = [layer.name for layer in model.layers if layer.weights]
    first = next(name for name in weighty[len(weighty) // 2 :] if "conv" in name.lower())
    changes = [f"unfreeze_from={first}", "phases.head.epochs=1", "monitor=loss"]
    outcome = finetune.start(settings(images, "partial", *changes), tmp_path / "run")
    assert outcome.metrics["best_phase"] == "partial"
    before, after = pretrained(), weights(outcome.run)
    moved = {name for name in before if not same(before[name], after[name])}
    assert moved
    assert all(names.index(name) >= names.index(first) for name in moved)
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # Bit for bit: scale, offset and both statistics.
            assert same(before[layer.name], after[layer.name])


def test_full_moves_the_first_layer_and_no_statistics(images, tmp_path):
    import keras

    import zoo

    changes = ["monitor=loss", "phases.head.epochs=1", "layer_decay=0.5"]
    outcome = finetune.start(settings(images, "full", *changes), tmp_path / "run")
    assert outcome.metrics["best_phase"] == "full"
    model = zoo.create_model(NETWORK, include_top=False)
    before, after = pretrained(), weights(outcome.run)
    kinds = {layer.name: isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers}
    for name in before:
        assert same(before[name], after[name]) == kinds[name], name


def test_the_whole_network_agrees_with_its_two_parts(whole, head_run):
    assert 0 < whole.metrics["pieces_apart"] < 1e-3
    assert head_run[1].metrics["val_loss_apart"] < 1e-3


@pytest.mark.parametrize(("steps", "save_every"), [(3, 0.0), (40, 1000.0)])
def test_a_run_that_was_stopped_ends_with_the_same_weights(whole, images, tmp_path, steps, save_every, monkeypatch):
    monkeypatch.setattr(epochs, "SAVE_EVERY", save_every)
    first = finetune.start(settings(images, "partial", *RESUMED), tmp_path / "part", callbacks=[StopAfter(steps)])
    assert first.status == "stopped"
    second = finetune.resume(tmp_path / "part")
    assert second.status == whole.status == "finished"
    one, other = weights(whole.run), weights(second.run)
    assert set(one) == set(other)
    assert all(same(one[name], other[name]) for name in one)
    assert whole.metrics["plan"] == second.metrics["plan"]


def test_random_labels_fail_where_colours_pass(tmp_path):
    random = paint(tmp_path / "random", 30, random_labels=True)
    outcome = finetune.start(settings(random, "head"), tmp_path / "run")
    assert outcome.metrics["val"]["top1"] < 0.75


def test_scratch_begins_with_random_weights(images, tmp_path):
    outcome = finetune.start(settings(images, "scratch"), tmp_path / "run")
    assert outcome.metrics["phases"] == ["scratch"]
    before, after = pretrained(), weights(outcome.run)
    assert not any(same(before[name], after[name]) for name in before if "conv" in name)


def test_a_trained_network_is_trained_on(head_run, tmp_path):
    _, first = head_run
    other = paint(tmp_path / "other", seed=5)
    (other / "green").rename(other / "leaf")
    second = finetune.start(settings(other, "head", model=str(first.run / "model.keras")), tmp_path / "second")
    assert second.metrics["val"]["top1"] > 0.8
    from zoo.pretrained import keras_file

    assert keras_file.read_metadata(second.run / "model.keras")["classes"] == ["blue", "leaf", "red"]


def test_a_student_learns_from_its_teacher(head_run, tmp_path):
    images, teacher = head_run
    # Labels count for nothing here, and the teacher knows what is right.
    wrong = paint(tmp_path / "wrong", 30, random_labels=True, seed=8)
    # Nor can they choose an epoch.
    alone = finetune.start(replace(settings(wrong, "head"), val_split=0.0), tmp_path / "alone")
    ready = settings(wrong, "head", "alpha=1", teacher=str(teacher.run / "model.keras"))
    taught = finetune.start(replace(ready, val_split=0.0), tmp_path / "taught")
    import zoo

    right = []
    for run in (alone.run, taught.run):
        results = zoo.Classifier(str(run / "model.keras"), device="cpu").predict(sorted(images.glob("*/*.png")))
        right.append(np.mean([result.label in result.path for result in results]))
    assert right[1] > 0.9
    assert right[1] > right[0]


def test_a_teacher_that_does_not_know_a_class_is_refused(images, tmp_path):
    with pytest.raises(UsageError, match=r"'blue'.*which the teacher .* does not know"):
        finetune.start(settings(images, "head", teacher=NETWORK), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_mean_of_the_best_epochs_is_judged(images, tmp_path):
    said = []

    class Listener(StopAfter):
        def on_message(self, text):
            said.append(text)

    finetune.start(
        settings(images, "head", "phases.head.average_best=3"), tmp_path / "run", callbacks=[Listener(10**9)]
    )
    assert any("the mean weights of the 3 best epochs" in text for text in said)


def test_a_rate_is_looked_for_and_training_begins_as_if_it_had_not_been(images, tmp_path):
    outcome = finetune.start(settings(images, "head", lr_find=True), tmp_path / "run")
    rate = outcome.metrics["learning_rates_found"]["head"]
    assert 1e-5 < rate < 1
    with (outcome.run / "history.csv").open() as lines:
        found = list(csv.DictReader(lines))
    given = finetune.start(settings(images, "head", f"phases.head.learning_rate={rate!r}"), tmp_path / "given")
    with (given.run / "history.csv").open() as lines:
        for one, other in zip(found, csv.DictReader(lines), strict=True):
            assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-6)


def test_copies_in_two_parts_are_said_before_training(images, tmp_path):
    for part, numbers in (("train", range(15)), ("val", range(15, 20))):
        for name in ("blue", "green", "red"):
            (tmp_path / "set" / part / name).mkdir(parents=True)
            for number in numbers:
                os.link(images / name / f"{number}.png", tmp_path / "set" / part / name / f"{number}.png")
    os.link(images / "red" / "0.png", tmp_path / "set" / "val" / "red" / "copy.png")
    said = []

    class Listener(StopAfter):
        def on_message(self, text):
            said.append(text)

    ready = settings(tmp_path / "set", "head", check=True)
    outcome = finetune.start(replace(ready, val_split=None), tmp_path / "run", callbacks=[Listener(10**9)])
    assert "same file in several parts" in said[0]
    (leak,) = [finding for finding in outcome.metrics["findings"] if finding["kind"] == "leak"]
    assert leak["text"] in html.unescape((outcome.run / "report.html").read_text())


def test_unreadable_images_are_named_and_left_alone(images, tmp_path):
    broken = images / "blue" / "3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    before = broken.read_bytes()
    outcome = finetune.start(settings(images, "head"), tmp_path / "run")
    assert [item["path"] for item in outcome.metrics["failed"]] == [str(broken)]
    assert broken.read_bytes() == before


def test_what_the_frozen_part_made_is_used_again(images, tmp_path, monkeypatch):
    finetune.start(settings(images, "head"), tmp_path / "one")

    def never(*args, **kwargs):
        raise AssertionError("computed again")

    monkeypatch.setattr("zoo.training.finetuning.trunk.pipeline", type("Stub", (), {"run": staticmethod(never)}))
    outcome = finetune.start(settings(images, "head"), tmp_path / "two")
    assert outcome.status == "finished"


def test_a_limited_time_is_shared_by_the_phases(images, tmp_path, ticking):
    ready = settings(images, "auto", "phases.head.epochs=100000", "phases.partial.epochs=100000", time_limit=1.5)
    outcome = finetune.start(ready, tmp_path / "run")
    assert outcome.status == "time"
    with (outcome.run / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    head, partial = ([float(row["seconds"]) for row in rows if row["phase"] == phase] for phase in "12")
    # The head has three tenths; each phase ends with the epoch in which its time is over, the learning rate down.
    assert head[-2] < 0.3 * 1.5 < partial[0]
    assert partial[-2] < 1.5 and head[-1] < 0.3 * 1.5 + 0.2 and partial[-1] < 1.7
    assert float(rows[-1]["learning_rate"]) < 0.05 * float(rows[len(head)]["learning_rate"]) + 1e-6
    assert json.loads((outcome.run / "metrics.json").read_text())["ended"] == "time"
    assert weights(outcome.run)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "resnet5"}, "resnet50"),
        ({"model": "conv-autoencoder"}, "autoencoder"),
    ],
)
def test_networks_that_cannot_are_said(images, tmp_path, fields, words):
    with pytest.raises(UsageError, match=words):
        finetune.start(settings(images, **fields), tmp_path / "run")


def test_weights_that_are_not_here_are_said_with_what_to_do(images, tmp_path):
    with pytest.raises(WeightsError, match="zoo cache import") as error:
        finetune.start(settings(images, model="vgg16"), tmp_path / "run")
    assert error.value.exit_status == 4
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["stge3", "after:stge3"])
def test_a_layer_that_is_not_there_is_said_before_anything_is_done(images, tmp_path, name):
    from zoo.training.finetuning import trunk

    with pytest.raises(UsageError, match="has no layer 'stge3'"):
        finetune.start(settings(images, "partial", f"unfreeze_from={name}"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert not trunk.folder().exists()


def test_validation_from_another_folder(images, tmp_path):
    other = paint(tmp_path / "val", 4, seed=9)
    ready = replace(settings(images, "head"), val_split=None, val_dir=str(other))
    outcome = finetune.start(ready, tmp_path / "run")
    assert outcome.metrics["val"]["n"] == 12
    (other / "white").mkdir()
    with pytest.raises(UsageError, match="'white', which the training images do not have"):
        finetune.start(ready, tmp_path / "again")


def test_another_data_set_is_no_continuation(images, tmp_path):
    finetune.start(settings(images, "head"), tmp_path / "run", callbacks=[StopAfter(2)])
    (images / "red" / "0.png").unlink()
    with pytest.raises(UsageError, match="not those that"):
        finetune.resume(tmp_path / "run")


def test_a_run_of_another_command_is_said(images, tmp_path):
    from zoo.training.scratch import train

    finetune.start(settings(images, "head"), tmp_path / "run", callbacks=[StopAfter(2)])
    with pytest.raises(UsageError, match="started by 'zoo finetune'"):
        train.resume(tmp_path / "run")


def test_metrics_are_plain_json(head_run):
    _, outcome = head_run
    assert json.loads((outcome.run / "metrics.json").read_text())["mode"] == "head"
