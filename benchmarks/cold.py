"""A cold start: one image, one process, ResNet50, against the same in plain Keras and in bare OpenVINO.

    python benchmarks/cold.py

The weights are random (the work is the same), written once and brought in by ``zoo cache import``. "First
use" clears the compiled form before each run.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Run, in_turn, machine, median, ratio, run

WRITE_WEIGHTS = """
import sys, keras
keras.utils.set_random_seed(1)
keras.applications.ResNet50(weights=None).save_weights(sys.argv[1])
"""

PLAIN_KERAS = """
import csv, sys
import keras, numpy as np
weights, image, names = sys.argv[1:]
model = keras.applications.ResNet50(weights=None)
model.load_weights(weights)
pixels = keras.utils.img_to_array(keras.utils.load_img(image, target_size=(224, 224)))
scores = model.predict(keras.applications.resnet50.preprocess_input(pixels[None]), verbose=0)[0]
labels = [row["name"] for row in csv.DictReader(open(names))]
for index in np.argsort(-scores)[:5]:
    print(labels[index], scores[index])
"""

BARE_OPENVINO = """
import sys
import numpy as np, openvino
from PIL import Image
folder, image = sys.argv[1:]
core = openvino.Core()
graph = core.read_model(folder + "/model.xml")
graph.reshape([1, 224, 224, 3])
model = core.compile_model(graph, "CPU", {"CACHE_DIR": folder + "/bare", "PERFORMANCE_HINT": "LATENCY",
                                          "INFERENCE_PRECISION_HINT": "f32"})
scores = model(np.asarray(Image.open(image).convert("RGB").resize((224, 224)))[None])[0][0]
print(np.argsort(-scores)[:5])
"""


def main(repeats: int = 5) -> None:
    """Print seconds, memory and ratios."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache, weights = folder / "zoo", folder / "resnet50.weights.h5"
        image, names = ROOT / "examples" / "airplane.jpg", ROOT / "configs" / "labels" / "imagenet.csv"
        own = {"ZOO_CACHE": str(cache), "KERAS_HOME": str(folder / "keras"), "ZOO_OFFLINE": "1"}
        run([sys.executable, "-c", WRITE_WEIGHTS, weights], **own)
        run(["zoo", "cache", "import", weights, "--as", "resnet50"], **own)
        classify = ["zoo", "classify", image, "-m", "resnet50", "--device", "cpu"]

        def first_use() -> Run:
            shutil.rmtree(cache / "compiled", ignore_errors=True)
            return run(classify, **own)

        def bare() -> Run:
            compiled = next((cache / "compiled").glob("resnet50-*"))
            return run([sys.executable, "-c", BARE_OPENVINO, compiled, image], **own)

        def cached() -> Run:
            return run(classify, **own)

        run(classify, **own)
        plain = "plain Keras on TensorFlow"
        results = in_turn(
            {
                plain: lambda: run([sys.executable, "-c", PLAIN_KERAS, weights, image, names], **own),
                "zoo classify": cached,
                "bare OpenVINO script": bare,
            },
            repeats,
        )
        results |= in_turn({"zoo classify, first use": first_use}, repeats)
    print(f"{'one image, ResNet50':<28}{'seconds':>9}{'ratio':>8}{'MiB':>8}{'ratio':>8}   (median of {repeats})")
    for name, runs in results.items():
        print(
            f"{name:<28}{median(runs):>9.2f}{ratio(runs, results[plain]):>8.3f}"
            f"{median(runs, 'memory'):>8.0f}{ratio(runs, results[plain], 'memory'):>8.2f}"
        )


if __name__ == "__main__":
    main()
