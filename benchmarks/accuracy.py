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
from collections.abc import Sequence
from pathlib import Path

from measure import DATA, machine

from zoo.images.source import Source

PHOTOGRAPHS = {
    "mobilenetv2": "mobilenetv2_1.0_224.weights.h5",
    "mobilenet_0.25": "mobilenet_2_5_224_tf.h5",
    "squeezenet1.1": "squeezenet1_1.npz",
}


#: Networks whose weights come with zoo, and the test images that their figures are of.
SHIPPED = {
    "cifar10-resnet9": "cifar10",
    "lenet5": "mnist",
    "mnist-cnn": "mnist",
    "fmp-mnist": "mnist",
    "fmp-mnist-12": "mnist",
    "fashion-cnn": "fashion-mnist",
}


def accuracy(model: str, sources: Sequence[Source], labels: Sequence[int]) -> tuple[float, float, float]:
    """Top-1 and top-5 of a network on images with known classes, and seconds."""
    import zoo

    classifier = zoo.Classifier(model, device="cpu", offline=True)
    started = time.perf_counter()
    ranks = [[p.index for p in result.predictions] for result in classifier.stream(sources, top=5)]
    seconds = time.perf_counter() - started
    top1 = sum(rank[:1] == [index] for rank, index in zip(ranks, labels, strict=True)) / len(labels)
    top5 = sum(index in rank for rank, index in zip(ranks, labels, strict=True)) / len(labels)
    return top1, top5, seconds


def test_split(name: str, folder: Path) -> tuple[Sequence[Source], Sequence[int]]:
    """The test images of a dataset, unpacked into ``folder``, and their classes."""
    from zoo.data import dataset

    if not (folder / name).is_dir():
        with tarfile.open(DATA / f"{name}.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    test = dataset.read_for_training(folder / name, val_split=0).splits["test"]
    return test.sources, test.labels.tolist()


def photographs() -> tuple[Sequence[Source], Sequence[int]]:
    """The photographs and their ImageNet classes."""
    with (DATA / "imagenet200" / "labels.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return [Source(str(DATA / "imagenet200" / row["file"])) for row in rows], [int(row["index"]) for row in rows]


def main() -> None:
    """Print a row a network."""
    from zoo.catalog import registry
    from zoo.models import import_weights

    print(machine())
    print(f"{'network':<18}{'images':<28}{'n':>7}{'top-1':>8}{'top-5':>8}{'seconds':>9}")

    def show(model: str, images: str, sources: Sequence[Source], labels: Sequence[int]) -> None:
        top1, top5, seconds = accuracy(model, sources, labels)
        print(f"{model:<18}{images:<28}{len(labels):>7}{top1:>8.4f}{top5:>8.4f}{seconds:>9.1f}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"ZOO_CACHE": str(folder / "zoo"), "KERAS_HOME": str(folder / "keras")}
        for model, data in SHIPPED.items():
            show(model, f"{data} test", *test_split(data, folder))
        for model, file in PHOTOGRAPHS.items():
            import_weights.import_file(DATA / "weights" / file, registry.get(model))
            show(model, "200 ImageNet photographs", *photographs())


if __name__ == "__main__":
    main()
