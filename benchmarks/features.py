"""``zoo features``: 1,000 photographs of 500×375 through ResNet50, MobileNetV2 and VGG16, and 100,000 small files.

    python benchmarks/features.py [NETWORK...] [--count 1000] [--rounds 3]
    python benchmarks/features.py --many

Compared in one run, each a process of its own: with what the cores allow, 1/(1/F + 1/D), where F is a bare OpenVINO
loop on tensors that are already decoded (with the best of several settings), cut where zoo cuts the network, and D is
decoding and resizing alone on all cores, both the mean of before and after; with batches of 32 through a
``tf.function``, fed by ``tf.data``; and with timm on PyTorch and its own loader, run by the interpreter that
ZOO_BENCH_TORCH names. Everything runs on the CPU in float32. Ratios are of one round, and the median of the rounds is
printed. ResNet50 and VGG16 have random weights, MobileNetV2 the ones of ZOO_TEST_DATA.

With ``--many`` the small network that comes with zoo reads 10,000 and 100,000 images of 32×32 from one folder:
memory should be the same, and so should the time for each.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from measure import (
    DATA,
    SETTINGS,
    Run,
    decode_rate,
    engine_rates,
    in_turn,
    machine,
    median,
    photographs,
    ratio,
    run,
    said,
)

#: The networks, with their names in Keras and in timm, and images enough to measure the bare engine.
NETWORKS = {
    "resnet50": ("ResNet50", "resnet50", 128),
    "mobilenetv2": ("MobileNetV2", "mobilenetv2_100", 768),
    "vgg16": ("VGG16", "vgg16", 64),
}
SMALL = "cifar10-resnet9"
#: What ResNet50 should reach: a share of what the cores allow, and times as fast as the others.
BARS = {"allowed": 0.95, "tf": 1.7, "timm": 1.8}

RANDOM_WEIGHTS = """
import sys
from zoo import models
name, target = sys.argv[1:]
models.create_model(name, None, preprocessing=False).save_weights(target)
"""

TF_DATA = """
import sys
import keras
import numpy as np
import tensorflow as tf
name, folder, target = sys.argv[1:]
package = {"ResNet50": "resnet50", "MobileNetV2": "mobilenet_v2", "VGG16": "vgg16"}[name]
network = getattr(keras.applications, name)(weights=None, include_top=False, pooling="avg", input_shape=(224, 224, 3))
prepare = getattr(keras.applications, package).preprocess_input

@tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3], tf.float32)])
def features(images):
    return network(prepare(images), training=False)

def load(file):
    return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(file), 3), (224, 224))

files = tf.data.Dataset.list_files(folder + "/*.jpg", shuffle=False)
data = files.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(tf.data.AUTOTUNE)
np.save(target, np.concatenate([features(batch) for batch in data]))
"""

TIMM = """
import sys
import numpy as np
import torch
# torchvision without its compiled part, which PyTorch's CPU wheels do not match, asks for two operators.
library = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import timm
name, folder, target = sys.argv[1:]
network = timm.create_model(name, pretrained=False, num_classes=0).eval()
settings = timm.data.resolve_data_config({}, model=network)
loader = timm.data.create_loader(
    timm.data.create_dataset("", root=folder), input_size=(3, 224, 224), batch_size=32, is_training=False,
    use_prefetcher=False, num_workers=2, device=torch.device("cpu"), interpolation=settings["interpolation"],
    mean=settings["mean"], std=settings["std"], crop_pct=settings["crop_pct"],
)
with torch.inference_mode():
    np.save(target, np.concatenate([network(batch).numpy() for batch, _ in loader]))
"""


def main() -> None:
    """Parse, and measure the one or the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--count", type=int, default=1000, help="photographs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", action="store_true", help="100,000 small files against 10,000")
    arguments = parser.parse_args()
    if unknown := set(arguments.networks) - set(NETWORKS):
        parser.error(f"no such network here: {', '.join(unknown)}")
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = {"ZOO_CACHE": str(folder / "zoo"), "KERAS_HOME": str(folder / "keras"), "ZOO_OFFLINE": "1"}
        if arguments.many:
            many_files(folder, own, arguments.rounds)
            return
        files = photographs(folder / "photos", arguments.count)
        for network in arguments.networks or NETWORKS:
            one_network(network, files, folder, own, arguments.rounds)


def one_network(network: str, files: list[Path], folder: Path, own: dict[str, str], rounds: int) -> None:
    """Print rates and ratios of one network."""
    features = prepare(network, files, folder, own)
    compiled = next((folder / "zoo" / "compiled").glob(f"{network}-*")) / "model.xml"
    keras, timm, enough = NETWORKS[network]
    target = folder / "features.npy"
    others: dict[str, Callable[[], Run]] = {
        "tf": lambda: run([sys.executable, "-c", TF_DATA, keras, files[0].parent, target], TF_CPP_MIN_LOG_LEVEL="3"),
    }
    if torch := os.environ.get("ZOO_BENCH_TORCH"):
        others["timm"] = lambda: run([torch, "-c", TIMM, timm, files[0].parent, target])

    def bare() -> tuple[float, dict[tuple[str, int], float]]:
        """D, and F with each setting."""
        # In a process of its own: a process that is started inherits the peak memory of the one that starts it.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            decode, images = apart.submit(decode_rate, files).result()
            return decode, apart.submit(engine_rates, compiled, images, enough).result()

    rates: dict[str, list[float]] = {name: [] for name in ("D", "zoo", *others)}
    engines = []
    for _ in range(rounds):
        # Before and after, because the speed of a machine drifts by more than what is looked for.
        (decode, before), zoo, (decode_after, after) = bare(), features(), bare()
        rates["D"].append((decode + decode_after) / 2)
        engines.append({setting: (before[setting] + after[setting]) / 2 for setting in SETTINGS})
        rates["zoo"].append(len(files) / zoo.wall)
        for name, other in others.items():
            rates[name].append(len(files) / other().wall)

    # The setting that is best in all rounds; the best of each round would be that which had luck.
    setting = max(SETTINGS, key=lambda one: statistics.mean(rows[one] for rows in engines))
    rates["F"] = [rows[setting] for rows in engines]
    rates["allowed"] = [1 / (1 / engine + 1 / decode) for engine, decode in zip(rates["F"], rates["D"], strict=True)]
    print(f"\n{len(files)} photographs of 500×375, {network}, float32; median of {rounds} rounds, images a second")
    labels = {
        "D": "D  decode and resize alone",
        "F": f"F  bare engine ({said(setting)})",
        "allowed": "   allowed, 1/(1/F + 1/D)",
        "zoo": "   zoo features, whole process",
        "tf": "   tf.function and tf.data, whole process",
        "timm": "   timm and its loader, whole process",
    }
    for name, label in labels.items():
        if name in rates:
            print(f"{label:<48}{statistics.median(rates[name]):>8.1f}")
    for name in ("allowed", "tf", "timm"):
        if name in rates:
            quotient = statistics.median(a / b for a, b in zip(rates["zoo"], rates[name], strict=True))
            print(f"{f'zoo / {name}':<48}{quotient:>8.2f}  (bar for resnet50: {BARS[name]})")
    if "timm" not in rates:
        print("timm is left out: ZOO_BENCH_TORCH does not name an interpreter that has it.")


def prepare(network: str, files: list[Path], folder: Path, own: dict[str, str]) -> Callable[[], Run]:
    """Give a network its weights and have it compiled; what runs ``zoo features`` on all files."""
    weights = DATA / "weights" / "mobilenetv2_1.0_224.weights.h5"
    if network != "mobilenetv2":
        weights = folder / f"{network}.weights.h5"
        run([sys.executable, "-c", RANDOM_WEIGHTS, network, weights], KERAS_BACKEND="openvino", **own)
    run(["zoo", "cache", "import", weights, "--as", network], **own)
    extract(network, files[0].parent, own)
    return partial(extract, network, files[0].parent, own)


def extract(network: str, images: Path, own: dict[str, str]) -> Run:
    """Run ``zoo features`` on a folder."""
    target = images.with_suffix(".h5")
    return run(["zoo", "features", images, "-m", network, "--device", "cpu", "--overwrite", "-o", target, "-q"], **own)


def many_files(folder: Path, own: dict[str, str], rounds: int, few: int = 10_000, many: int = 100_000) -> None:
    """Print memory and time for each file, at ``few`` and at ``many``."""
    with tarfile.open(DATA / "cifar10.tar.xz") as archive:
        archive.extractall(folder / "pictures", filter="data")
    images = sorted((folder / "pictures").rglob("*.jpg"))
    for count in (1, few, many):
        link(islice(cycle(images), count), folder / str(count))
    runs = in_turn({str(count): partial(extract, SMALL, folder / str(count), own) for count in (1, few, many)}, rounds)

    start = median(runs["1"])
    seconds = {count: (median(runs[str(count)]) - start) / count for count in (few, many)}
    print(f"\n{many:,} and {few:,} images of 32×32, each in one folder, {SMALL}; median of {rounds} rounds")
    for count in (few, many):
        memory = median(runs[str(count)], "memory")
        print(f"{count:>8,}: {memory:>7.1f} MiB, {1 / seconds[count]:>7.1f} files/s after {start:.2f} s of starting")
    print(f"memory, the one / the other    {ratio(runs[str(many)], runs[str(few)], 'memory'):.3f}  (bar: 1.05)")
    print(f"time for a file, the same      {seconds[many] / seconds[few]:.3f}")


def link(images: Iterable[Path], folder: Path) -> None:
    """The images as numbered files of a folder, without copies."""
    folder.mkdir()
    for number, image in enumerate(images):
        (folder / f"{number}.jpg").hardlink_to(image)


if __name__ == "__main__":
    main()
