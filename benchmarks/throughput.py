"""Many images: 1,000 photographs of 500×375 through ``zoo classify -m mobilenetv2``.

    python benchmarks/throughput.py

Compared in one run with what the cores allow, 1/(1/F + 1/D), where F is a bare OpenVINO loop on tensors
that are already decoded (the best of several settings) and D is decoding and resizing alone on all cores;
and with ``model.predict`` over ``image_dataset_from_directory`` in plain Keras. F is measured twice: on the
graph as Keras exports it, and on the one that zoo makes of it. Memory is that of the whole
process at 200 and at 1,000 files. Needs the images of ZOO_TEST_DATA.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from measure import DATA, decode_rate, engine_rate, machine, median, photographs, run

COUNT = 1000

PLAIN_KERAS = """
import sys
import keras
weights, folder = sys.argv[1:]
model = keras.applications.MobileNetV2(weights=None)
model.load_weights(weights)
data = keras.utils.image_dataset_from_directory(folder, labels=None, image_size=(224, 224), batch_size=32,
                                                shuffle=False, verbose=0)
model.predict(data.map(keras.applications.mobilenet_v2.preprocess_input), verbose=0)
"""


EXPORT = """
import sys
import keras
weights, target = sys.argv[1:]
model = keras.applications.MobileNetV2(weights=None)
model.load_weights(weights)
model.export(target, format="openvino", verbose=False)
"""


def main(repeats: int = 3) -> None:
    """Print rates, ratios and memory."""
    print(machine())
    weights = DATA / "weights" / "mobilenetv2_1.0_224.weights.h5"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photographs(folder / "photos", COUNT)
        own = {"ZOO_CACHE": str(folder / "zoo"), "KERAS_HOME": str(folder / "keras"), "ZOO_OFFLINE": "1"}
        run(["zoo", "cache", "import", weights, "--as", "mobilenetv2"], **own)
        classify = ["zoo", "classify", "-m", "mobilenetv2", "--device", "cpu", "--format", "jsonl"]
        run([*classify, *files[:9]], **own)
        compiled = next((folder / "zoo" / "compiled").glob("mobilenetv2-*"))

        exported = folder / "exported.xml"
        run([sys.executable, "-c", EXPORT, weights, exported], KERAS_BACKEND="openvino")

        rows = []
        for _ in range(repeats):
            # In a process of its own: a process that is started inherits the peak memory of the one that starts it.
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
                decode, images = apart.submit(decode_rate, files).result()
                engine, setting = apart.submit(engine_rate, compiled / "model.xml", images).result()
                bare, _ = apart.submit(engine_rate, exported, images, 256).result()
            all_files, some_files = run([*classify, folder / "photos"], **own), run([*classify, *files[:200]], **own)
            plain = run([sys.executable, "-c", PLAIN_KERAS, weights, folder / "photos"], **own)
            rows.append((decode, engine, setting, all_files, some_files, plain, bare))

    allowed = [1 / (1 / engine + 1 / decode) for decode, engine, *_ in rows]
    exported_allowed = [1 / (1 / row[6] + 1 / row[0]) for row in rows]
    zoo = [COUNT / row[3].wall for row in rows]
    keras = [COUNT / row[5].wall for row in rows]
    ratio = statistics.median
    setting = rows[0][2]
    print(f"{COUNT} photographs of 500×375, mobilenetv2, float32; median of {repeats} rounds")
    print(f"D  decode and resize alone       {ratio(row[0] for row in rows):>8.1f} images/s")
    print(f"F  bare engine ({setting}){ratio(row[1] for row in rows):>8.1f} images/s")
    print(f"F' the same on Keras's export    {ratio(row[6] for row in rows):>8.1f} images/s")
    print(f"   allowed, 1/(1/F + 1/D)        {ratio(allowed):>8.1f} images/s")
    print(f"   allowed, 1/(1/F' + 1/D)       {ratio(exported_allowed):>8.1f} images/s")
    print(f"   zoo classify, whole process   {ratio(zoo):>8.1f} images/s")
    print(f"   plain Keras, whole process    {ratio(keras):>8.1f} images/s")
    print(f"zoo / allowed                    {ratio(a / b for a, b in zip(zoo, allowed, strict=True)):>8.2f}")
    print(f"zoo / allowed on Keras's export  {ratio(a / b for a, b in zip(zoo, exported_allowed, strict=True)):>8.2f}")
    print(f"zoo / plain Keras                {ratio(a / b for a, b in zip(zoo, keras, strict=True)):>8.2f}")
    large, small = median([row[3] for row in rows], "memory"), median([row[4] for row in rows], "memory")
    print(f"memory at {COUNT} / at 200 files     {large:>6.0f} / {small:.0f} MiB = {large / small:.3f}")
    print(f"memory zoo / plain Keras         {ratio(row[3].memory / row[5].memory for row in rows):>8.2f}")


if __name__ == "__main__":
    main()
