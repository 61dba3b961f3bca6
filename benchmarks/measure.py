"""What the benchmarks share: whole-process times and memory, pairs in turn, and the machine."""

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
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
