"""Search in many vectors: the 10 nearest of 1,000,000 × 1280 float32 on disk, for 32 queries at once.

    python benchmarks/search.py [--folder DIR] [--rows 1000000] [--dim 1280] [--queries 32] [--repeats 3]

Compared in one run, in turn, with NumPy that reads the same blocks and multiplies them with the same queries, and does
nothing else; each in a process of its own, whose peak memory is shown. How long NumPy takes for as many blocks that are
in memory already says what of that is reading. The vectors are made first, as .npy and as .h5 (5.1 GB each, one at a
time, removed afterwards); those that were just written are in the system's memory where it has room for them.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import machine

K = 10


@dataclass(frozen=True)
class RandomContent:
    """Vectors of nothing: normal numbers, the same each time."""

    count: int
    dim: int

    @property
    def about(self) -> dict[str, str]:
        """Nothing is known of them."""
        return {}

    @property
    def columns(self) -> list[object]:
        """One layer."""
        from zoo.vectors import Column

        return [Column("features", (self.dim,), np.dtype(np.float32))]

    def blocks(self, column: object, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows, in blocks."""
        numbers = np.random.default_rng(0)
        for start in range(0, self.count, rows or 8192):
            yield numbers.standard_normal((min(rows or 8192, self.count - start), self.dim), dtype=np.float32)

    def entries(self) -> Iterator[object]:
        """A name for each row."""
        from zoo.vectors.content import Entry

        return (Entry(f"photos/{row}.jpg") for row in range(self.count))

    def failures(self) -> Iterator[tuple[str, str]]:
        """None."""
        return iter(())


def queries(count: int, dim: int) -> np.ndarray:
    """What to search for."""
    return np.random.default_rng(1).standard_normal((count, dim), dtype=np.float32)


def make(file: str, rows: int, dim: int) -> None:
    """Write vectors as zoo does."""
    from zoo.vectors.formats import registry

    registry.format_of(Path(file)).load().write(RandomContent(rows, dim), Path(file))


def search(file: str, count: int, metric: str) -> None:
    """What is measured: exact search."""
    from zoo.search.exact import nearest
    from zoo.vectors import open_vectors

    with open_vectors(file) as vectors:
        asked = queries(count, vectors.dim)
        started = time.perf_counter()
        nearest(vectors, asked, K, metric)  # type: ignore[arg-type]
        report(time.perf_counter() - started)


def multiply(file: str, count: int) -> None:
    """What it is compared with: read a block, multiply it."""
    from zoo.vectors import open_vectors

    with open_vectors(file) as vectors:
        asked = queries(count, vectors.dim).T
        started = time.perf_counter()
        for _, block in vectors.blocks():
            block @ asked
        report(time.perf_counter() - started)


def multiply_in_memory(file: str, count: int) -> None:
    """As many products of one block that is in memory."""
    from zoo.vectors import open_vectors

    with open_vectors(file) as vectors:
        asked = queries(count, vectors.dim).T
        _, block = next(vectors.blocks())
        started = time.perf_counter()
        for _ in range(-(-vectors.count // len(block))):
            block @ asked
        report(time.perf_counter() - started)


def report(seconds: float) -> None:
    """One line for the process that started this one: seconds, and peak memory in MiB."""
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def apart(step: str, *arguments: object) -> tuple[float, float]:
    """A step in a process of its own: seconds and memory."""
    command = [sys.executable, __file__, "--step", step, *map(str, arguments)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    seconds, memory = json.loads(lines[-1]) if lines else (0.0, 0.0)
    return seconds, memory


def compare(file: Path, count: int, repeats: int) -> None:
    """Measure in turn, and print."""
    steps = {
        "zoo, cosine": ("search", file, count, "cosine"),
        "zoo, dot": ("search", file, count, "dot"),
        "zoo, euclidean": ("search", file, count, "euclidean"),
        "NumPy, reads and multiplies": ("multiply", file, count),
        "NumPy, multiplies": ("multiply_in_memory", file, count),
    }
    for step in steps.values():
        apart(*step)
    runs = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            runs[name].append(apart(*step))
    print(f"{file.suffix}, {file.stat().st_size / 1e9:.1f} GB, {count} queries, the {K} nearest; median of {repeats}")
    plain = [seconds for seconds, _ in runs["NumPy, reads and multiplies"]]
    for name, measured in runs.items():
        seconds = [one for one, _ in measured]
        speed = statistics.median(other / one for one, other in zip(seconds, plain, strict=True))
        memory = max(memory for _, memory in measured)
        print(f"  {name:<28}{statistics.median(seconds):>7.2f} s  speed {speed:5.2f}  peak memory {memory:>5.0f} MiB")


def main() -> None:
    """Make vectors, compare, and remove them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=1280)
    parser.add_argument("--queries", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    for suffix in (".npy", ".h5"):
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            file = Path(folder) / f"vectors{suffix}"
            apart("make", file, asked.rows, asked.dim)
            compare(file, asked.queries, asked.repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        step, file, *rest = sys.argv[2:]
        values = [int(value) if value.isdigit() else value for value in rest]
        {"make": make, "search": search, "multiply": multiply, "multiply_in_memory": multiply_in_memory}[step](
            file, *values
        )
    else:
        main()
