"""From files to batches: zoo's loader beside ``keras.utils.image_dataset_from_directory``, with nothing that trains.

    python benchmarks/loading.py

The 50,000 CIFAR-10 JPEGs of ZOO_TEST_DATA are read by each, from listing the folder to the last batch of 128, in a
process of its own, by turns; imports do not count. Keras enlarges images to 256×256 unless it is told otherwise, so
that it is measured with its defaults and with ``image_size=(32, 32)``; zoo reads to 32×32. Later epochs follow, as a
network is fed in training: batches with augmentation of images in memory, and photographs of about 500×375 that are
decoded to 224×224 in every epoch. The processors' time stands beside the clock's because other programs may run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import DATA, ROOT, machine

PHOTOGRAPHS = 1000

#: What both scripts share: seconds to list, to read the first epoch, and for one later epoch.
TIMES = """
import json, os, sys, time
def now():
    spent = os.times()
    return time.perf_counter(), spent.user + spent.system + spent.children_user + spent.children_system
def report(started, listed, read, again, count, close=lambda: None):
    later = max(1, len(again) - 1)
    # The time of processes counts when they have ended.
    close()
    print(json.dumps({"list": listed[0] - started[0], "read": read[0] - listed[0], "cpu": now()[1] - started[1],
                      "again": (again[-1][0] - again[0][0]) / later, "count": count}))
"""

KERAS = (
    TIMES
    + """
import keras
folder, size, batch, epochs = sys.argv[1], *map(int, sys.argv[2:5])
options = {} if size == 256 else {"image_size": (size, size)}
started = now()
data = keras.utils.image_dataset_from_directory(folder, batch_size=batch, verbose=0, **options)
listed = now()
count = sum(len(x) for x, _ in data)
again = [now()]
for _ in range(epochs - 1):
    for _ in data:
        pass
    again.append(now())
report(started, listed, again[0], again, count)
"""
)

ZOO = (
    TIMES
    + """
from zoo.data import dataset
from zoo.data.augment.config import Augment
from zoo.data.loading.loader import Loader
from zoo.core.spec import Resize
folder, size, batch, epochs, memory = sys.argv[1], *map(int, sys.argv[2:6])
augment = Augment.from_mapping(json.loads(sys.argv[6]))
started = now()
split = dataset.read_for_training(folder, val_split=0).splits["train"]
listed = now()
loader = Loader(split, Resize(size, size, "squash"), classes=10, batch_size=batch, augment=augment, shuffle=True,
                memory=None if memory else 0)
count = sum(len(x) for x, _ in loader.epoch(0))
again = [now()]
for number in range(1, epochs):
    for _ in loader.epoch(number):
        pass
    again.append(now())
report(started, listed, again[0], again, count, loader.close)
"""
)

AUGMENTATIONS = {
    "none": {},
    "flip and shift": {"flip": "horizontal", "shift": 4},
    "all of it": {
        "flip": "horizontal", "shift": 2, "rotate": 15, "zoom": 0.1, "shear": 5,
        "brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.05, "cutout": 8,
    },
}  # fmt: skip
CROPS = {"flip": "horizontal", "crop": 0.08, "aspect": [0.75, 1.3333]}

Figures = dict[str, float]


def call(code: str, *arguments: object) -> Figures:
    """Run code in a process of its own; what it prints last."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def zoo(
    folder: Path, size: int, batch: int, *, epochs: int = 1, memory: bool = True, augment: object = None
) -> Figures:
    """The loader's figures."""
    return call(ZOO, folder, size, batch, epochs, int(memory), json.dumps(augment or {}))


def cifar10(folder: Path) -> Path:
    """The training images, unpacked."""
    with tarfile.open(DATA / "cifar10.tar.xz") as archive:
        archive.extractall(folder, [member for member in archive if "/train/" in member.name], filter="data")
    return folder / "cifar10" / "train"


def photographs(folder: Path) -> Path:
    """The shared photographs, repeated, in two classes."""
    sources = sorted((DATA / "imagenet200").glob("*.jpg"))
    for number in range(PHOTOGRAPHS):
        target = folder / "photographs" / "ab"[number % 2] / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources[number % len(sources)], target)
    return folder / "photographs"


def first_epochs(folder: Path, rounds: int) -> None:
    """Print seconds and images a second from the folder to the last batch, and ratios."""
    # Once unmeasured, so that the system holds the files for everybody.
    zoo(folder, 32, 128)
    mine, default, small = [], [], []
    for _ in range(rounds):
        mine.append(zoo(folder, 32, 128))
        default.append(call(KERAS, folder, 256, 128, 1))
        small.append(call(KERAS, folder, 32, 128, 1))
    print(f"\n50,000 JPEGs of 32×32, first epoch; median of {rounds} rounds")
    print(f"{'':<44}{'list s':>8}{'read s':>8}{'CPU s':>8}{'images/s':>12}")
    names = ("zoo", "image_dataset_from_directory, as it is", "image_dataset_from_directory, 32×32")
    for name, runs in zip(names, (mine, default, small), strict=True):
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        rate = middle["count"] / (middle["list"] + middle["read"])
        print(f"{name:<44}{middle['list']:>8.2f}{middle['read']:>8.2f}{middle['cpu']:>8.2f}{rate:>12,.0f}")
    for name, runs in zip(("Keras as it is / zoo", "Keras at 32×32 / zoo"), (default, small), strict=True):
        whole = ratio(runs, mine, lambda run: run["list"] + run["read"])
        read, cpu = ratio(runs, mine, lambda run: run["read"]), ratio(runs, mine, lambda run: run["cpu"])
        print(f"{name:<28}folder to last batch {whole:.2f}, reading alone {read:.2f}, CPU time {cpu:.2f}")


def ratio(runs: list[Figures], others: list[Figures], figure: Callable[[Figures], float]) -> float:
    """The median of the ratios pair by pair, which holds when the machine's speed drifts."""
    return statistics.median(figure(run) / figure(other) for run, other in zip(runs, others, strict=True))


def later_epochs(folder: Path, photos: Path) -> None:
    """Print images a second once everything has begun."""
    print("\nlater epochs, 32×32, batches of 128")
    for label, augment in AUGMENTATIONS.items():
        rate = 50_000 / zoo(folder, 32, 128, epochs=4, augment=augment)["again"]
        print(f"{'zoo, augmentation: ' + label:<44}{rate:>12,.0f} images/s{rate / 128:>10,.0f} batches/s")
    rate = 50_000 / call(KERAS, folder, 32, 128, 3)["again"]
    print(f"{'image_dataset_from_directory, 32×32':<44}{rate:>12,.0f} images/s{rate / 128:>10,.0f} batches/s")
    print(f"\nlater epochs, {PHOTOGRAPHS:,} photographs to 224×224, batches of 32")
    rows = {
        "zoo, decoded in every epoch": zoo(photos, 224, 32, epochs=3, memory=False),
        "zoo, decoded, random crops and flips": zoo(photos, 224, 32, epochs=3, memory=False, augment=CROPS),
        "zoo, from memory, random crops and flips": zoo(photos, 224, 32, epochs=3, augment=CROPS),
        "image_dataset_from_directory, 224×224": call(KERAS, photos, 224, 32, 3),
    }
    for label, figures in rows.items():
        print(f"{label:<44}{PHOTOGRAPHS / figures['again']:>12,.0f} images/s")


def main(rounds: int = 3) -> None:
    """Print seconds, rates and ratios."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder, photos = cifar10(Path(name)), photographs(Path(name))
        first_epochs(folder, rounds)
        later_epochs(folder, photos)


if __name__ == "__main__":
    main()
