"""int8 against float32: speed of the engine and of ``zoo features``, and how near the vectors stay.

    python benchmarks/int8.py [MODEL …] [--min-cosine C]

Each network is quantised on 1,000 photographs of 500×375, of which it draws its own. F is a bare OpenVINO loop on
tensors that are already decoded, the best of several settings, for both forms in turn; the commands are whole
processes that find their compiled forms in the cache. Similarity and agreement are those that ``--precision int8``
states, on photographs that did not calibrate it. Without ``--min-cosine`` a network is quantised in the fastest way,
whatever comes of it; with it, in the fastest that comes so near. Ends with exit status 1 where resnet50 does not reach
2.2 times the speed of float32 at a mean cosine similarity of 0.99.

mobilenetv2 and squeezenet1.1 have their real weights. Weights of resnet50 are unavailable offline: it has random ones,
whose batch normalisation knows the photographs, so that its numbers have the sizes of a trained network's. Its speed is
that of real weights; how near it stays with those is another figure. Needs the data of ZOO_TEST_DATA.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

from measure import DATA, Run, machine, ratio, run
from throughput import COUNT, decode_rate, engine_rate, photographs

#: What resnet50 must reach.
SPEED, SIMILARITY = 2.2, 0.99

WEIGHTS = {
    "mobilenetv2": DATA / "weights" / "mobilenetv2_1.0_224.weights.h5",
    "squeezenet1.1": DATA / "weights" / "squeezenet1_1.npz",
}

RANDOM = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from zoo.catalog import registry
from zoo.images import decode
target, *files = sys.argv[1:]
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
resize = registry.get("resnet50").resize
images = np.stack([decode.load(file, resize) for file in files]).astype("float32")
model = keras.applications.ResNet50(weights=None)
for layer in model.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        gamma, beta, mean, variance = layer.get_weights()
        layer.set_weights([rng.uniform(0.5, 1.5, gamma.shape), rng.normal(0, 0.3, beta.shape), mean, variance])
        layer.momentum = 0.0
model(keras.applications.resnet.preprocess_input(images), training=True)
model.save_weights(target)
"""


def bring(model: str, files: list[Path], work: Path, own: dict[str, str]) -> None:
    """Put the weights of a network into the cache."""
    weights = WEIGHTS.get(model)
    if weights is None:
        weights = work / f"{model}.weights.h5"
        run([sys.executable, "-c", RANDOM, weights, *files[:32]])
    run([sys.executable, "-m", "zoo", "cache", "import", weights, "--as", model], **own)


def quantised(folder: Path) -> tuple[Path, Path, dict[str, float]]:
    """The float32 form, the int8 form, and how near they are, from the cache."""
    forms = {
        json.loads(file.read_text()).get("precision"): file.parent
        for file in folder.glob("*/about.json")
        if not (json.loads(file.read_text())["cut"] or {}).get("probabilities")
    }
    return forms[None], forms["int8"], json.loads((forms["int8"] / "agreement.json").read_text())


def measure(model: str, files: list[Path], work: Path, bar: float, repeats: int = 3) -> tuple[float, float]:
    """Print the figures of one network; its speed against float32, and its mean cosine similarity."""
    own = {"ZOO_CACHE": str(work / f"zoo-{model}"), "KERAS_HOME": str(work / "keras"), "ZOO_OFFLINE": "1"}
    bring(model, files, work, own)
    command = [sys.executable, "-m", "zoo", "features", str(files[0].parent), "-m", model, "--device", "cpu"]
    plain = [*command, "-o", str(work / "float32.h5"), "--overwrite"]
    small = [*command, "-o", str(work / "int8.h5"), "--overwrite", "--precision", "int8", "--min-cosine", str(bar)]
    run(plain, **own)
    first = run(small, **own)
    float32, int8, agreement = quantised(work / f"zoo-{model}" / "compiled")
    bare: list[tuple[float, float]] = []
    whole: tuple[list[Run], list[Run]] = ([], [])
    for _ in range(repeats):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
            _, images = apart.submit(decode_rate, files[:64]).result()
            rates = [apart.submit(engine_rate, form / "model.xml", images, 256).result() for form in (float32, int8)]
        bare.append((rates[0][0], rates[1][0]))
        whole[0].append(run(plain, **own))
        whole[1].append(run(small, **own))
    faster = median(two / one for one, two in bare)
    top1 = "no classes" if agreement["top1"] is None else f"{agreement['top1']:.1%}"
    print(f"{model}")
    print(
        f"  bare engine, float32 / int8       {median(one for one, _ in bare):>8.1f} / "
        f"{median(two for _, two in bare):.1f} images/s, int8 is {faster:.2f} times as fast"
    )
    print(
        f"  zoo features, float32 / int8      {COUNT / median(one.wall for one in whole[0]):>8.1f} / "
        f"{COUNT / median(one.wall for one in whole[1]):.1f} images/s, int8 is {ratio(*whole):.2f} times as fast"
    )
    print(f"  the first time, quantising        {first.wall - median(one.wall for one in whole[1]):>8.1f} s more")
    print(f"  cosine similarity                 {agreement['cosine']:>8.4f}, the worst image {agreement['least']:.4f}")
    print(f"  the same class                    {top1:>8}, on {agreement['checked']} photographs")
    return faster, agreement["cosine"]


def main() -> int:
    """Print all figures; 1 where resnet50 misses the bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=["resnet50", "mobilenetv2", "squeezenet1.1"], metavar="MODEL")
    parser.add_argument("--min-cosine", type=float, default=0.0, metavar="C", help="how near the vectors must stay")
    arguments = parser.parse_args()
    print(machine())
    print(f"{COUNT} photographs of 500×375; median of 3 rounds")
    missed = False
    with tempfile.TemporaryDirectory() as name:
        files = photographs(Path(name) / "photos")
        for model in arguments.models:
            faster, cosine = measure(model, files, Path(name), arguments.min_cosine)
            missed |= model == "resnet50" and (faster < SPEED or cosine < SIMILARITY)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
