"""Learns on two CPU devices and on one, and prints as JSON how far they are apart; run as a program."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.training.finetuning.toys import paint
from tests.training.scratch.test_train import StopAfter
from zoo.engines import devices
from zoo.training import distribution
from zoo.training import recipe as recipes
from zoo.training.scratch import train
from zoo.training.settings import Settings

#: No dropout, of which every device draws its own; BatchNorm sees all of a batch.
TOY = """\
name: toy
input: 32
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
      - Dense: {units: $classes, activation: softmax, dtype: float32, name: predictions}
"""

CLASSES = 4
#: Changes of a recipe, parts of a network, and images in each batch: the last but one is not shared out evenly.
CASES = {
    "sgd": (["optimizer={name: sgd, momentum: 0.9}"], "", (8, 8, 5, 8)),
    "adamw": (["optimizer=adamw", "weight_decay=0.05"], "", (8, 8, 5, 8)),
    "nadam": (["optimizer=nadam", "accumulate=2"], "", (8, 8, 1, 8)),
    "all": (
        [
            "optimizer={name: sgd, momentum: 0.9}",
            "clip_norm=0.3",
            "accumulate=2",
            "average=0.9",
            "class_weights=balanced",
        ],
        "",
        (8, 8, 5, 8),
    ),
    "batchnorm": (["optimizer={name: sgd, momentum: 0.9}"], "batchnorm", (8, 8, 8, 8)),
    "heads": (["label_smoothing=0.1", "alpha=0.7"], "heads taught", (8, 8, 5, 8)),
}


def network(parts):
    import keras
    from keras import layers

    x = inputs = keras.Input((8, 8, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(x)
    for _ in range(2):
        x = layers.Conv2D(6, 3, padding="same", kernel_regularizer=keras.regularizers.L2(1e-3))(x)
        if "batchnorm" in parts:
            x = layers.BatchNormalization(momentum=0.5)(x)
        x = layers.ReLU()(x)
    if "dropout" in parts:
        x = layers.Dropout(0.5)(x)
    outputs = [layers.Dense(CLASSES, activation="softmax", name="predictions")(layers.Flatten()(x))]
    if "heads" in parts:
        x = layers.GlobalAveragePooling2D()(x)
        outputs.append(layers.Dense(CLASSES, activation="softmax", name="auxiliary")(x))
    return keras.Model(inputs, outputs)


def batches(sizes, parts):
    rng = np.random.default_rng(0)
    for size in sizes:
        y = np.eye(CLASSES, dtype="float32")[rng.integers(0, CLASSES, size)]
        if "taught" in parts:
            y = np.concatenate([y, rng.dirichlet(np.ones(CLASSES), size).astype("float32")], axis=1)
        yield rng.integers(0, 256, (size, 8, 8, 3), np.uint8), y


def learner(changes, parts):
    import keras

    from zoo.training.learner import Learner

    keras.utils.set_random_seed(1)
    model = network(parts)
    recipe = recipes.load("default", ["augment={}", *changes])
    found = Learner(model, recipe, plain=model, distill="taught" in parts)
    if recipe.class_weights == "balanced":
        found.weigh_classes(np.array([0.5, 1.0, 2.0, 0.5]))
    return found


def apart(one, other):
    return max(float(np.abs(np.asarray(a, "float64") - b).max()) for a, b in zip(one, other, strict=True))


def given(found):
    with found.inference_model() as model:
        return [np.array(value) for value in model.get_weights()]


def compare(chosen, changes, parts, sizes):
    alone = learner(changes, parts)
    begun = given(alone)
    with distribution.over(chosen):
        together = learner(changes, parts)
    rows = [
        (alone.step(x, y, 0.01), together.step(x, y, 0.01), together.model is not together._trained)
        for x, y in batches(sizes, parts)
    ]
    answer = {
        "moved": apart(begun, given(alone)),
        "weights": apart(given(alone), given(together)),
        "snapshots": apart(alone.snapshot(), together.snapshot()),
        "values": max(abs(a[key] - b[key]) for a, b, _ in rows for key in ("loss", "top1")),
        "copied": all(copied for *_, copied in rows),
        "copies": copies(together._trained.trainable_variables[0]),
    }
    before = together.state()
    with together.temporary_weights(together.snapshot()), together.evaluation_weights():
        pass
    answer["as it was"] = apart(before, together.state())
    # Gone on with on one device.
    alone.restore(before)
    x, y = next(batches(sizes, parts))
    alone.step(x, y, 0.01)
    together.step(x, y, 0.01)
    answer["resumed"] = apart(given(alone), given(together))
    return answer


def copies(variable):
    """Devices that a variable is on."""
    if devices.loaded_backend() == "jax":
        return len(variable.value.sharding.device_set)
    return len({value.device for value in variable.value.values})


def dropout(chosen):
    """How many seeds the devices have, after a restore too, and whether a loss that is no number is seen.

    JAX has one seed, and draws what one device would.
    """
    from zoo.training.learner import DivergedError

    alone = learner([], "dropout")
    with distribution.over(chosen):
        found = learner([], "dropout")
    x, y = next(batches((8,), ""))
    found.step(x, y, 0.01)
    alone.step(x, y, 0.01)
    found.restore(found.state())
    seeds = [variable for variable in found._trained.variables if variable.name == "seed_generator_state"]
    if devices.loaded_backend() == "jax":
        answer = {"seeds": 1, "same": apart(given(alone), given(found)) < 1e-5}
    else:
        answer = {"seeds": len({tuple(value.numpy()) for value in seeds[0].value.values})}
    try:
        for _ in range(3):
            found.step(x, y, 1e38)
    except DivergedError:
        answer["diverged"] = True
    return answer


def mixed(name, chosen):
    """How far the losses of three steps in mixed precision are from those of one device, or why it is refused."""
    from zoo.core.errors import UsageError
    from zoo.training.learner import dtype_policy

    with dtype_policy(name):
        alone = learner([], "batchnorm")
        try:
            with distribution.over(chosen):
                together = learner([], "batchnorm")
        except UsageError as error:
            return str(error)
        pairs = [(alone.step(x, y, 0.01), together.step(x, y, 0.01)) for x, y in batches((8, 8, 8), "")]
    return max(abs(one["loss"] - other["loss"]) for one, other in pairs)


def gone_on_with(folder):
    """How far runs that went on from two devices to one, and from one to two, are from one that was not stopped."""
    import keras

    paint(folder / "pictures")
    (folder / "toy.yaml").write_text(TOY)
    changes = ["optimizer=sgd", "augment={}", "precision=float32", "average=0.9"]
    recipe = recipes.load("default", changes, epochs=3, batch_size=10)
    asked = Settings(
        model=str(folder / "toy.yaml"), dataset=str(folder / "pictures"), recipe=recipe, device="cpu", val_split=0.25
    )
    two = "cpu:0,cpu:1"
    runs = [train.start(asked, folder / "whole")]
    for name, before, after in (("fewer", two, "cpu"), ("more", "cpu", two)):
        stopped = train.start(replace(asked, device=before), folder / name, callbacks=[StopAfter(6)])
        assert stopped.status == "stopped"
        runs.append(train.resume(folder / name, device=after))
    whole, *others = (keras.models.load_model(run.run / "model.keras").get_weights() for run in runs)
    return [apart(whole, other) for other in others]


def main():
    chosen = devices.select_several("cpu:0,cpu:1")
    # A framework has as many devices as it is told before it starts.
    with distribution.over(chosen):
        pass
    answer = {name: compare(chosen, *case) for name, case in CASES.items()}
    answer["dropout"] = dropout(chosen)
    try:
        with distribution.over(devices.select_several("cpu:0,cpu:1,cpu:2,cpu:3")):
            answer["more"] = None
    except devices.UnavailableError as error:
        answer["more"] = str(error)
    answer |= {name: mixed(name, chosen) for name in ("mixed_bfloat16", "mixed_float16")}
    with tempfile.TemporaryDirectory() as folder:
        answer["runs gone on with"] = gone_on_with(Path(folder))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
