"""Many pictures: 1,000 photographs of 500×375 through ``zoo classify -m mobilenetv2``.

    python benchmarks/throughput.py

Compared in one run with what the cores allow, 1/(1/F + 1/D), where F is a bare OpenVINO loop on tensors
that are already decoded (the best of several settings) and D is decoding and resizing alone on all cores;
and with ``model.predict`` over ``image_dataset_from_directory`` in plain Keras. F is measured twice: on the
graph as Keras exports it, and on the one that zoo makes of it. Memory is that of the whole
process at 200 and at 1,000 files. Needs the pictures of ZOO_TEST_DATA.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from measure import DATA, machine, median, run

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


def photographs(folder: Path) -> list[Path]:
    """The shared photographs at 500×375, repeated under new names."""
    from PIL import Image

    folder.mkdir()
    sources = sorted((DATA / "imagenet200").glob("*.jpg"))
    files = []
    for number in range(COUNT):
        files.append(folder / f"{number:04}.jpg")
        if number < len(sources):
            Image.open(sources[number]).convert("RGB").resize((500, 375)).save(files[-1], quality=90)
        else:
            files[-1].write_bytes(files[number % len(sources)].read_bytes())
    return files


def decode_rate(files: list[Path]) -> tuple[float, np.ndarray]:
    """Pictures a second, decoding and resizing alone on all cores; and 64 of the pictures."""
    from zoo import images
    from zoo.spec import Resize

    resize = Resize(224, 224)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        few = list(pool.map(lambda file: images.load(file, resize), files[:64]))
        started = time.perf_counter()
        for _ in pool.map(lambda file: images.load(file, resize), files):
            pass
        return len(files) / (time.perf_counter() - started), np.stack(few)


def engine_rate(file: Path, pictures: np.ndarray, count: int = 512) -> tuple[float, str]:
    """Pictures a second of the bare engine, in float32 as zoo runs it: the best of several settings."""
    import openvino

    best = (0.0, "")
    core = openvino.Core()
    for hint, batch in (("THROUGHPUT", 1), ("THROUGHPUT", 4), ("THROUGHPUT", 8), ("THROUGHPUT", 16), ("LATENCY", 8)):
        graph = core.read_model(file)
        graph.reshape([batch, 224, 224, 3])
        steps = openvino.preprocess.PrePostProcessor(graph)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        graph = steps.build()
        model = core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"})
        queue = openvino.AsyncInferQueue(model)
        for start in range(0, 64, batch):
            queue.start_async({0: pictures[start : start + batch]})
        queue.wait_all()
        started = time.perf_counter()
        for step in range(count // batch):
            start = step * batch % 64
            queue.start_async({0: pictures[start : start + batch]})
        queue.wait_all()
        best = max(best, (count / (time.perf_counter() - started), f"{hint}, batch {batch}"))
    return best


def main(repeats: int = 3) -> None:
    """Print rates, ratios and memory."""
    print(machine())
    weights = DATA / "weights" / "mobilenetv2_1.0_224.weights.h5"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = photographs(folder / "photos")
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
                decode, pictures = apart.submit(decode_rate, files).result()
                engine, setting = apart.submit(engine_rate, compiled / "model.xml", pictures).result()
                bare, _ = apart.submit(engine_rate, exported, pictures, 256).result()
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
