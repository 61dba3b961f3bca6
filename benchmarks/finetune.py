"""Fine-tuning against the script of Keras's guides, on photographs of ten kinds of clothing, in one run.

    python benchmarks/finetune.py [--head-only]

Both begin with the same weights of MobileNetV2 and learn from the same 3,068 photographs. Keras's script is that of
its guide on transfer learning: `image_dataset_from_directory`, random flips and turns, a frozen network for ten epochs,
then ten more from layer 100 on at a hundredth of the rate. `zoo finetune` runs in a new cache, so that it compiles the
network and computes the frozen part anew. Seconds and memory are those of whole processes. Needs the data of
ZOO_TEST_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from measure import DATA, Run, machine, run

WEIGHTS = DATA / "weights" / "mobilenetv2_1.0_224.weights.h5"

KERAS = """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
folder, weights, result, tuned = sys.argv[1:]
keras.utils.set_random_seed(0)
def read(part):
    return keras.utils.image_dataset_from_directory(
        f"{folder}/{part}", image_size=(224, 224), batch_size=32, shuffle=part == "train"
    )
train, val, test = read("train"), read("val"), read("test")
classes = len(train.class_names)
train, val, test = (part.prefetch(2) for part in (train, val, test))
whole = keras.applications.MobileNetV2(weights=None)
whole.load_weights(weights)
base = keras.Model(whole.input, whole.get_layer("out_relu").output)
base.trainable = False
inputs = keras.Input((224, 224, 3))
x = keras.layers.RandomFlip("horizontal")(inputs)
x = keras.layers.RandomRotation(0.1)(x)
x = keras.applications.mobilenet_v2.preprocess_input(x)
x = base(x, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
model = keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))
model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=10, validation_data=val, verbose=0)
if tuned == "1":
    base.trainable = True
    for layer in base.layers[:100]:
        layer.trainable = False
    model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(train, epochs=10, validation_data=val, verbose=0)
model.save(result + ".keras")
with open(result, "w") as file:
    json.dump(model.evaluate(test, verbose=0)[1], file)
"""


def by_keras(data: Path, work: Path, *, tuned: bool) -> tuple[Run, float]:
    """The process, and the accuracy on the test images."""
    result = work / f"keras-{tuned}.json"
    done = run([sys.executable, "-c", KERAS, data, WEIGHTS, result, str(int(tuned))])
    return done, json.loads(result.read_text())


def by_zoo(data: Path, work: Path, mode: str, seed: int) -> tuple[Run, float]:
    """The same for zoo, with nothing in its cache but the weights."""
    folder = work / f"zoo-{mode}-{seed}"
    cache = {"ZOO_CACHE": str(folder / "cache"), "KERAS_HOME": str(folder / "keras")}
    bring = [sys.executable, "-m", "zoo", "cache", "import", str(WEIGHTS), "--as", "mobilenetv2"]
    subprocess.run(bring, check=True, capture_output=True, env={**os.environ, **cache})
    command = [sys.executable, "-m", "zoo", "finetune", "--dataset", data, "-m", "mobilenetv2", "--mode", mode]
    done = run([*command, "--seed", str(seed), "-o", folder / "run", "-q"], **cache)
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    return done, metrics["test"]["top1"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--head-only", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(machine())
    print(f"{'':34}{'seconds':>9}{'':>8}{'MiB':>7}{'test top-1':>12}")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        with tarfile.open(DATA / "clothing10.tar.xz") as archive:
            archive.extractall(work, filter="data")
        data = work / "clothing10"
        for tuned, mode in ((False, "head"),) if arguments.head_only else ((False, "head"), (True, "auto")):
            ours, our_top1 = by_zoo(data, work, mode, arguments.seed)
            plain, plain_top1 = by_keras(data, work, tuned=tuned)
            name = "Keras's script, head and upper part" if tuned else "Keras's script, head"
            print(f"{name:<34}{plain.wall:9.1f}{1:7.2f}×{plain.memory:7.0f}{plain_top1:12.4f}", flush=True)
            ratio = plain.wall / ours.wall
            print(f"{f'zoo finetune --mode {mode}':<34}{ours.wall:9.1f}{ratio:7.2f}×{ours.memory:7.0f}{our_top1:12.4f}")


if __name__ == "__main__":
    main()
