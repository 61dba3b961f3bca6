"""Speed of `zoo train` on CIFAR-10 against plain Keras, in one run.

    python benchmarks/training.py [--network cifar10-cnn] [--epochs 3]

The same network, batch size, optimiser and number of epochs: once by `zoo train` in its own process, once by
`model.fit` over `image_dataset_from_directory`, as Keras's guides write it, in another. Images a second count the
training steps alone for both (epochs after the first, so that neither pays for tracing), and the whole process too.
Needs the data of ZOO_TEST_DATA.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from measure import DATA, machine

KERAS = """
import json, os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
keras.config.set_dtype_policy(sys.argv[4])
from zoo import models
network = models.create_model(sys.argv[2], None)
folder, epochs = sys.argv[1], int(sys.argv[3])
data = keras.utils.image_dataset_from_directory(folder, image_size=(32, 32), batch_size=128, label_mode="categorical")
augmented = keras.Sequential([keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.125, 0.125)])
if sys.argv[5] == "augment":
    data = data.map(lambda x, y: (augmented(x, training=True), y))
data = data.prefetch(2)
network.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
class Clock(keras.callbacks.Callback):
    seconds = []
    def on_epoch_begin(self, epoch, logs=None): self.began = time.perf_counter()
    def on_epoch_end(self, epoch, logs=None): self.seconds.append(time.perf_counter() - self.began)
clock = Clock()
network.fit(data, epochs=epochs, verbose=0, callbacks=[clock])
print(json.dumps(clock.seconds))
"""


def by_zoo(
    folder: Path, network: str, epochs: int, runs: Path, *, precision: str, augment: bool
) -> tuple[float, float]:
    """Images a second of the epochs after the first, and seconds of the whole process."""
    run = runs / f"zoo-{precision}-{augment}"
    command = [sys.executable, "-m", "zoo", "train", network, "--dataset", str(folder), "-o", str(run), "-q"]
    command += ["--recipe", "adam", "--epochs", str(epochs), "-b", "128", "--val-split", "0"]
    command += ["--set", f"precision={precision}"]
    if augment:
        command += ["--set", "augment.flip=horizontal", "--set", "augment.shift=4"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = time.perf_counter() - started
    with (run / "history.csv").open() as lines:
        speeds = [float(row["images_per_second"]) for row in csv.DictReader(lines)]
    rest = speeds[1:]
    return len(rest) / sum(1 / speed for speed in rest), whole


def by_keras(
    folder: Path, network: str, epochs: int, count: int, *, precision: str, augment: bool
) -> tuple[float, float]:
    """The same for plain Keras."""
    started = time.perf_counter()
    arguments = [str(folder), network, str(epochs), precision, "augment" if augment else "plain"]
    done = subprocess.run([sys.executable, "-c", KERAS, *arguments], check=True, capture_output=True, text=True)
    whole = time.perf_counter() - started
    seconds = json.loads(done.stdout.splitlines()[-1])[1:]
    return count * len(seconds) / sum(seconds), whole


def main() -> None:
    """Print a row a way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="cifar10-cnn")
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"ZOO_CACHE": f"{name}/zoo", "KERAS_HOME": f"{name}/keras"}
        with tarfile.open(DATA / "cifar10.tar.xz") as archive:
            archive.extractall(name, [member for member in archive if "/train/" in member.name], filter="data")
        folder = Path(name, "cifar10")
        count = sum(1 for _ in (folder / "train").glob("*/*"))
        print(f"{args.network}, {count:,} images, {args.epochs} epochs, batch 128, Adam")
        print(f"{'':<44}{'images/s':>9}{'ratio':>7}{'process s':>11}{'ratio':>7}")
        for augment, words in ((False, "no augmentation"), (True, "flip and shift")):
            theirs = by_keras(folder / "train", args.network, args.epochs, count, precision="float32", augment=augment)
            rows = [("model.fit, float32", theirs)]
            for precision in ("float32", "auto"):
                ours = by_zoo(folder, args.network, args.epochs, Path(name), precision=precision, augment=augment)
                rows.append((f"zoo train, {precision}", ours))
            for label, (speed, whole) in rows:
                text = f"{label}, {words}"
                print(f"{text:<44}{speed:>9.0f}{speed / theirs[0]:>7.2f}{whole:>11.1f}{theirs[1] / whole:>7.2f}")


if __name__ == "__main__":
    main()
