"""Explanations: how much they can be believed, how long they take, and what memory they need.

    python benchmarks/explanations.py [--part table|speed|memory] [--photos 200] [--methods gradcam,saliency]

``table`` explains the most probable class of each of the 200 photographs with MobileNetV2's real weights, and scores
the maps by deletion and insertion, beside maps that know nothing of the network: random ones (of pixels, and of 7×7
numbers with smooth passages) and a Gaussian in the middle. An interval is that of 1,000 bootstrap samples of the
photographs; those of the differences are paired. Score-CAM, which runs the network 1,281 times for an image, has every
fifth photo.

``speed`` is Grad-CAM over 100 photos that are in memory, against tf-keras-vis on the same flat MobileNetV2, in turn; it
is imported from the folder that ZOO_BENCH_TF_KERAS_VIS names (``pip install --target FOLDER --no-deps tf-keras-vis
deprecated``). ``memory`` is the peak of a process that explains 200 files, and of one that explains 1,000.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measure import DATA, ROOT, machine, photographs

#: Of how many photographs one is taken, for what takes long.
EVERY = {"scorecam": 5}
#: What Grad-CAM and integrated gradients must beat.
REFERENCES = ("random pixels", "random 7×7", "centred Gaussian")
SAMPLES = 1000


def main() -> None:
    """Parse, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("table", "speed", "memory"), help="default: all")
    parser.add_argument("--photos", type=int, default=200, help="for the table")
    parser.add_argument("--methods", help="for the table, separated by commas (default: all)")
    parser.add_argument("--steps", type=int, default=20, help="points of the curves")
    parser.add_argument("--rounds", type=int, default=5, help="for the speed")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.files:
        explain_files(Path(arguments.files[0]), arguments.alone)
        return
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        own = {"ZOO_CACHE": f"{name}/zoo", "KERAS_HOME": f"{name}/keras", "ZOO_OFFLINE": "1"}
        os.environ.update(own)
        weights = DATA / "weights" / "mobilenetv2_1.0_224.weights.h5"
        subprocess.run(["zoo", "cache", "import", weights, "--as", "mobilenetv2"], check=True, capture_output=True)
        if arguments.part in (None, "memory"):
            memory(Path(name))
        if arguments.part in (None, "speed"):
            speed(arguments.rounds)
        if arguments.part in (None, "table"):
            table(arguments.photos, arguments.methods, arguments.steps)


# Faithfulness


def table(count: int, names: str | None, steps: int) -> None:
    """Print deletion and insertion of each method, and how far it is from what knows nothing."""
    from zoo.visualize.explain.faithfulness import centred_gaussian, measure, random_map
    from zoo.visualize.explain.methods import METHODS
    from zoo.visualize.network.inspected_model import InspectedModel

    subject = InspectedModel.open("mobilenetv2", device="cpu")
    pixels, targets = photos(subject, count)
    scores: dict[str, np.ndarray] = {}

    def scored(maps: np.ndarray, every: int = 1) -> np.ndarray:
        found = measure(subject, pixels[::every], maps, targets[::every], steps=steps)
        return np.array([(one.deletion, one.insertion) for one in found])

    print(f"\n{len(pixels)} photographs, mobilenetv2, {steps} steps; 95 % bootstrap intervals")
    print(f"{'':<22}{'deletion':>8}{'interval':>16}{'insertion':>11}{'interval':>16}{'s/photo':>9}{'photos':>8}")
    references: dict[str, Callable[[int], np.ndarray]] = {
        "random pixels": lambda seed: random_map(224, 224, seed, places=None),
        "random 7×7": lambda seed: random_map(224, 224, seed),
        "centred Gaussian": lambda _: centred_gaussian(224, 224),
    }
    for name, made in references.items():
        scores[name] = scored(np.stack([made(number) for number in range(len(pixels))]))
        print(row(name, scores[name]), flush=True)
    for name in names.split(",") if names else METHODS:
        every = EVERY.get(name, 1)
        method = METHODS[name].load()(subject)
        # What is compiled at the first batch is no part of what an image costs.
        list(method.explain(pixels[:1], targets[:1]))
        started = time.perf_counter()
        maps = np.stack([one.map for one in method.explain(pixels[::every], targets[::every])])
        seconds = (time.perf_counter() - started) / len(maps)
        scores[name] = scored(maps, every)
        print(row(name, scores[name], seconds), flush=True)
    print("\nbetter than the references by (deletion, insertion), paired; the interval in brackets")
    for name in scores.keys() - set(REFERENCES) if names else list(METHODS):
        every = EVERY.get(name, 1)
        parts = []
        for reference in REFERENCES:
            gain = (scores[reference][::every] - scores[name]) * (1, -1)
            parts.append(f"{reference} {shown(gain[:, 0])} {shown(gain[:, 1])}")
        print(f"{name:<22}{'; '.join(parts)}")


def photos(subject: object, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images as the network takes them, and their most probable classes."""
    files = sorted((DATA / "imagenet200").glob("*.jpg"))
    pixels = np.stack([subject.read(file) for file in files[:: max(1, len(files) // count)][:count]])
    return pixels, subject.predict(pixels).argmax(axis=1)


def row(name: str, scores: np.ndarray, seconds: float | None = None) -> str:
    """A line of the table."""
    figures = "".join(
        f"{scores[:, column].mean():>{width}.3f}{'{:.3f}–{:.3f}'.format(*interval(scores[:, column])):>16}"
        for column, width in ((0, 8), (1, 11))
    )
    return f"{name:<22}{figures}{'' if seconds is None else f'{seconds:.2f}':>9}{len(scores):>8}"


def interval(values: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of the means of bootstrap samples."""
    picks = np.random.default_rng(0).integers(0, len(values), (SAMPLES, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def shown(values: np.ndarray) -> str:
    """A mean and its interval."""
    low, high = interval(values)
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


# Speed


def speed(rounds: int, count: int = 100) -> None:
    """Print Grad-CAM's rate beside that of tf-keras-vis, on the same network and images."""
    import keras

    from zoo.visualize.explain.methods import METHODS
    from zoo.visualize.network.inspected_model import InspectedModel

    subject = InspectedModel.open("mobilenetv2", device="cpu")
    pixels, targets = photos(subject, count)
    method = METHODS["gradcam"].load()(subject)

    def ours() -> np.ndarray:
        return np.stack([one.map for one in method.explain(pixels, targets)])

    runs = {"zoo": ours}
    if folder := os.environ.get("ZOO_BENCH_TF_KERAS_VIS"):
        sys.path.append(folder)
        from tf_keras_vis.gradcam import Gradcam
        from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
        from tf_keras_vis.utils.scores import CategoricalScore

        # Its own way: a flat network of Keras, pixels prepared beforehand.
        network = keras.applications.MobileNetV2(weights=None)
        network.set_weights(subject.flat.model.get_weights())
        gradcam = Gradcam(network, model_modifier=ReplaceToLinear(), clone=False)
        prepared = pixels.astype("float32") / 127.5 - 1

        def batch(part: slice, **settings: bool) -> np.ndarray:
            score = CategoricalScore(targets[part].tolist())
            # Otherwise it takes the convolution below the layer that was named.
            found = gradcam(score, prepared[part], "out_relu", seek_penultimate_conv_layer=False, **settings)
            return np.asarray(found)

        def theirs() -> np.ndarray:
            return np.concatenate([batch(slice(start, start + 16)) for start in range(0, len(pixels), 16)])

        runs["tf-keras-vis"] = theirs
        same = batch(slice(16), expand_cam=False, normalize_cam=False)
        values = [np.maximum(one.values, 0) for one in method.explain(pixels[:16], targets[:16])]
        print(f"\nlargest difference between the 7×7 maps of both: {np.abs(same - np.stack(values)).max():.1e}")
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    print(f"\nGrad-CAM of {len(pixels)} photographs in memory, mobilenetv2; median of {rounds} rounds")
    for name, times in seconds.items():
        print(
            f"{name:<16}{statistics.median(times):>8.2f} s{1000 * statistics.median(times) / len(pixels):>8.1f} ms each"
        )
    if "tf-keras-vis" in runs:
        quotient = statistics.median(b / a for a, b in zip(*seconds.values(), strict=True))
        print(f"zoo is {quotient:.2f} times as fast (bar: 1.5)")


# Memory


def memory(folder: Path) -> None:
    """Print the peak memory of explaining few and many files."""
    files = photographs(folder / "photos", 1000)
    # The compiled form is made once, and not in what is measured.
    explain_apart(files[0].parent, 1)
    peaks = {count: explain_apart(files[0].parent, count) for count in (200, 1000)}
    print("\npeak memory of Grad-CAM with its scores, a process each")
    for count, peak in peaks.items():
        print(f"{count:>6} files{peak:>8.0f} MiB")
    print(f"ratio {peaks[1000] / peaks[200]:.3f} (bar: 1.05)")


def explain_apart(folder: Path, count: int) -> float:
    """The peak memory in MiB of a process that explains the first ``count`` files."""
    command = [sys.executable, __file__, str(folder), "--alone", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout.split()[-1])


def explain_files(folder: Path, count: int) -> None:
    """Explain, and print this process's peak memory."""
    from zoo.visualize.explain.explain import explain

    def files() -> Iterator[Path]:
        yield from sorted(folder.iterdir())[:count]

    for record in explain("mobilenetv2", files(), device="cpu"):
        assert record.explanations[0].faithfulness is not None
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
