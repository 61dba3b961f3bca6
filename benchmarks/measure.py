"""What the benchmarks share: whole-process times and memory, pairs in turn, rates of the parts, and the machine."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("ZOO_TEST_DATA") or ROOT.parent / "shared" / "data")


@dataclass(frozen=True)
class Run:
    """One finished process: wall and processor seconds, peak resident memory in MiB."""

    wall: float
    cpu: float
    memory: float


def machine() -> str:
    """One line about processor, memory and versions."""
    try:
        cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        memory = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        cpu = memory = None
    name = cpu[1] if cpu else platform.processor()
    gigabytes = f", {int(memory[1]) / 2**20:.0f} GiB" if memory else ""
    packages = []
    for package in ("keras", "tensorflow", "openvino", "numpy", "pillow"):
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{name}, {os.cpu_count()} cores{gigabytes}; Python {platform.python_version()}, {', '.join(packages)}"


def run(command: Sequence[str | os.PathLike[str]], **environment: str) -> Run:
    """Run a process to its end and account for it. Its output is read and dropped; an error ends the benchmark."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=output, env={**os.environ, **environment}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        if status:
            output.seek(0)
            sys.exit(f"{' '.join(map(str, command))} failed:\n{output.read().decode(errors='replace')}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(commands: dict[str, Callable[[], Run]], repeats: int) -> dict[str, list[Run]]:
    """Run every command once unmeasured, then all of them in turn, ``repeats`` times."""
    for command in commands.values():
        command()
    results: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            results[name].append(command())
    return results


def median(runs: Sequence[Run], figure: str = "wall") -> float:
    """The median of one figure."""
    return statistics.median(getattr(one, figure) for one in runs)


def ratio(runs: Sequence[Run], other: Sequence[Run], figure: str = "wall") -> float:
    """The median of the ratios pair by pair, which holds when the machine's speed drifts."""
    return statistics.median(getattr(one, figure) / getattr(two, figure) for one, two in zip(runs, other, strict=True))


def photographs(folder: Path, count: int = 1000) -> list[Path]:
    """The shared photographs at 500×375, repeated under new names until there are ``count``."""
    from PIL import Image

    folder.mkdir()
    sources = sorted((DATA / "imagenet200").glob("*.jpg"))
    files = []
    for number in range(count):
        files.append(folder / f"{number:04}.jpg")
        if number < len(sources):
            Image.open(sources[number]).convert("RGB").resize((500, 375)).save(files[-1], quality=90)
        else:
            files[-1].write_bytes(files[number % len(sources)].read_bytes())
    return files


def decode_rate(files: Sequence[Path]) -> tuple[float, np.ndarray]:
    """Images a second, decoding and resizing alone on all cores; and 64 of the images."""
    from zoo.core.spec import Resize
    from zoo.images import decode

    resize = Resize(224, 224)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        few = list(pool.map(lambda file: decode.load(file, resize), files[:64]))
        started = time.perf_counter()
        for _ in pool.map(lambda file: decode.load(file, resize), files):
            pass
        return len(files) / (time.perf_counter() - started), np.stack(few)


#: Performance hints and batch sizes of which the best is what the bare engine can do.
SETTINGS = (*(("THROUGHPUT", batch) for batch in (1, 2, 4, 8, 16)), ("LATENCY", 8))


def engine_rates(file: Path, images: np.ndarray, count: int = 512) -> dict[tuple[str, int], float]:
    """Images a second of the bare engine, in float32 as zoo runs it, for each of :data:`SETTINGS`."""
    import openvino

    rates = {}
    core = openvino.Core()
    for hint, batch in SETTINGS:
        graph = core.read_model(file)
        graph.reshape([batch, *images.shape[1:]])
        steps = openvino.preprocess.PrePostProcessor(graph)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        graph = steps.build()
        model = core.compile_model(graph, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32"})
        queue = openvino.AsyncInferQueue(model)
        batches = [images[start : start + batch] for start in range(0, len(images) - batch + 1, batch)]
        for one in batches[:4]:
            queue.start_async({0: one})
        queue.wait_all()
        started = time.perf_counter()
        for number in range(count // batch):
            queue.start_async({0: batches[number % len(batches)]})
        queue.wait_all()
        rates[hint, batch] = count // batch * batch / (time.perf_counter() - started)
    return rates


def engine_rate(file: Path, images: np.ndarray, count: int = 512) -> tuple[float, str]:
    """The best of :func:`engine_rates`, and with which setting that was."""
    rates = engine_rates(file, images, count)
    best = max(rates, key=lambda setting: rates[setting])
    return rates[best], said(best)


def said(setting: tuple[str, int]) -> str:
    """A setting as a table shows it."""
    return f"{setting[0]}, batch {setting[1]}"
