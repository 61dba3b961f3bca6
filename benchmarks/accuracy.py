"""Recompute the accuracies that zoo publishes for weights of its own, and those on real photographs.

    python benchmarks/accuracy.py

Needs the data of ZOO_TEST_DATA. The 200 photographs were probably part of the training set of the ImageNet
networks: those figures check that a network works, they are no estimate of its accuracy.
"""

from __future__ import annotations

import csv
import os
import tarfile
import tempfile
import time
from pathlib import Path

from measure import DATA, machine

PHOTOGRAPHS = {
    "mobilenetv2": "mobilenetv2_1.0_224.weights.h5",
    "mobilenet_0.25": "mobilenet_2_5_224_tf.h5",
}


def accuracy(model: str, truth: dict[Path, int]) -> tuple[float, float, float]:
    """Top-1 and top-5 of a network on files with known classes, and seconds."""
    import zoo

    classifier = zoo.Classifier(model, device="cpu", offline=True)
    started = time.perf_counter()
    results = classifier.predict(list(truth), top=5)
    seconds = time.perf_counter() - started
    ranks = [[prediction.index for prediction in result.predictions] for result in results]
    right = list(truth.values())
    top1 = sum(rank[:1] == [index] for rank, index in zip(ranks, right, strict=True)) / len(right)
    top5 = sum(index in rank for rank, index in zip(ranks, right, strict=True)) / len(right)
    return top1, top5, seconds


def cifar10(folder: Path) -> dict[Path, int]:
    """The 10,000 test pictures, unpacked into ``folder``."""
    from zoo import labels

    with tarfile.open(DATA / "cifar10.tar.xz") as archive:
        archive.extractall(folder, [member for member in archive if "/test/" in member.name], filter="data")
    names = labels.names("cifar10")
    return {file: names.index(file.parent.name) for file in sorted((folder / "cifar10" / "test").glob("*/*"))}


def photographs() -> dict[Path, int]:
    """The photographs and their ImageNet classes."""
    with (DATA / "imagenet200" / "labels.csv").open() as lines:
        return {DATA / "imagenet200" / row["file"]: int(row["index"]) for row in csv.DictReader(lines)}


def main() -> None:
    """Print a row a network."""
    from zoo import importing, registry

    print(machine())
    print(f"{'network':<18}{'pictures':<28}{'n':>7}{'top-1':>8}{'top-5':>8}{'seconds':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"ZOO_CACHE": str(folder / "zoo"), "KERAS_HOME": str(folder / "keras")}
        truth = cifar10(folder)
        rows = [("cifar10-resnet9", "CIFAR-10 test", len(truth), *accuracy("cifar10-resnet9", truth))]
        truth = photographs()
        for model, file in PHOTOGRAPHS.items():
            importing.import_file(DATA / "weights" / file, registry.get(model))
            rows.append((model, "200 ImageNet photographs", len(truth), *accuracy(model, truth)))
        for model, pictures, count, top1, top5, seconds in rows:
            print(f"{model:<18}{pictures:<28}{count:>7}{top1:>8.4f}{top5:>8.4f}{seconds:>9.1f}")


if __name__ == "__main__":
    main()
