"""Copies among many vectors: time and memory of ``zoo dupes``, and what finding candidates first saves.

    python benchmarks/dupes.py --index f.h5 [--threshold 0.95] [--rows 1000000] [--folder DIR]

On the vectors of real images. In one run, in turn: as ``zoo dupes`` does it, and by multiplying all pairs in full;
each in a process of its own. With --rows the vectors are repeated until there are so many, each time with noise that
leaves a cosine of about 0.8 between the copies; so many are not multiplied in full.
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
from typing import Any

import numpy as np
from measure import machine

#: Length of the noise that is added to a vector, as a share of its own.
NOISE = 0.5


@dataclass(frozen=True)
class Repeated:
    """The vectors of a file over and over, with noise."""

    vectors: Any
    count: int

    @property
    def about(self) -> dict[str, str]:
        """Nothing is known of them."""
        return {}

    @property
    def columns(self) -> list[object]:
        """One layer."""
        from zoo.vectors import Column

        return [Column("features", self.vectors.shape, np.dtype(np.float32))]

    def blocks(self, column: object, rows: int | None = None) -> Iterator[np.ndarray]:
        """All rows, in blocks."""
        numbers = np.random.default_rng(0)
        left = self.count
        while left > 0:
            for _, block in self.vectors.blocks():
                noise = numbers.standard_normal(block.shape, dtype=np.float32)
                noise *= NOISE * np.linalg.norm(block, axis=1, keepdims=True) / block.shape[1] ** 0.5
                yield (block + noise)[:left].reshape(-1, *self.vectors.shape)
                left -= len(block)
                if left <= 0:
                    break

    def entries(self) -> Iterator[object]:
        """A name for each row."""
        from zoo.vectors.content import Entry

        return (Entry(f"{row}.jpg") for row in range(self.count))

    def failures(self) -> Iterator[tuple[str, str]]:
        """None."""
        return iter(())


def make(index: str, file: str, rows: str) -> None:
    """Write many vectors."""
    from zoo.vectors import open_vectors
    from zoo.vectors.formats import registry

    with open_vectors(index) as vectors:
        registry.format_of(Path(file)).load().write(Repeated(vectors, int(rows)), Path(file))


def find(file: str, threshold: str, way: str) -> None:
    """What is measured: groups of copies."""
    from zoo.search.near_duplicates import similar_pairs
    from zoo.vectors import open_vectors

    if way == "full":
        similar_pairs._SMALL = 1 << 62
    with open_vectors(file) as vectors:
        started = time.perf_counter()
        groups = similar_pairs.similar_groups(vectors, float(threshold))
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, len(groups)]))


def apart(step: str, *arguments: object) -> list[float]:
    """A step in a process of its own: seconds, those of processors, memory in MiB, and groups."""
    command = [sys.executable, __file__, "--step", step, *map(str, arguments)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return json.loads(lines[-1]) if lines else []


def show(name: str, runs: list[list[float]]) -> None:
    """One line."""
    seconds, work, _, groups = (statistics.median(values) for values in zip(*runs, strict=True))
    memory = max(run[2] for run in runs)
    print(f"  {name:<22}{seconds:>8.1f} s  {work:>8.1f} s of a core  {memory:>5.0f} MiB  {groups:,.0f} groups")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", required=True)
    parser.add_argument("--threshold", type=float, default=0.95)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    print(machine())
    if asked.rows is None:
        runs: dict[str, list[list[float]]] = {"zoo": [], "all pairs in full": []}
        for _ in range(asked.repeats):
            runs["zoo"].append(apart("find", asked.index, asked.threshold, "zoo"))
            runs["all pairs in full"].append(apart("find", asked.index, asked.threshold, "full"))
        print(f"{asked.index}, threshold {asked.threshold:g}; median of {asked.repeats}")
        for name, measured in runs.items():
            show(name, measured)
        pairs = zip(runs["all pairs in full"], runs["zoo"], strict=True)
        print(f"  full / zoo {statistics.median(full[1] / zoo[1] for full, zoo in pairs):.1f}")
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        file = Path(folder) / "many.npy"
        apart("make", asked.index, file, asked.rows)
        print(f"{asked.index} repeated to {asked.rows:,} rows, threshold {asked.threshold:g}")
        show("zoo", [apart("find", file, asked.threshold, "zoo")])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--step"]:
        {"make": make, "find": find}[sys.argv[2]](*sys.argv[3:])
    else:
        main()
