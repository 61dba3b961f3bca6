"""From a file of vectors to a map: which images are on it, and their coordinates and labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.search import sample
from zoo.search.map import embedding, labels
from zoo.search.map.labels import Labels
from zoo.search.sample import UNUSABLE, Metric
from zoo.vectors import open_vectors

#: Default number of images on a map at most.
LIMIT = 20_000


@dataclass(frozen=True, eq=False)
class Map:
    """Images and coordinates, float32 (n, 2), in file order; ``variance`` explained by the components is 0 to 1."""

    index: str
    about: Mapping[str, Any]
    total: int
    dim: int
    paths: tuple[str, ...]
    places: np.ndarray
    labels: Labels
    unusable: tuple[str, ...]
    method: str
    why: str
    metric: Metric
    variance: float
    neighbours: int | None
    seed: int

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def drawn(self) -> int:
        """Vectors taken from the file, with the unusable ones."""
        return len(self.paths) + len(self.unusable)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Path, x, y and label of each image, then the unusable ones with the error."""
        for index, (path, (x, y)) in enumerate(zip(self.paths, self.places.tolist(), strict=True)):
            yield {"path": path, "x": round(x, 6), "y": round(y, 6), "label": self.labels.of(index)}
        for path in self.unusable:
            yield {"path": path, "error": UNUSABLE}


def make_map(
    index: str | os.PathLike[str],
    *,
    layer: str | None = None,
    method: str = "auto",
    metric: Metric = "cosine",
    colours: str = "auto",
    limit: int = LIMIT,
    neighbours: int | None = None,
    seed: int = 0,
) -> Map:
    """Place images on a plane by 50 principal components of their vectors; above ``limit`` a random sample of them."""
    embedding.choose(method, limit)
    with open_vectors(index, layer=layer) as vectors:
        chosen = sample.draw(vectors, limit=limit, metric=metric, seed=seed)
        paths, unusable = chosen.paths()
        found = labels.find(colours, paths)
        components, variance = chosen.components(seed)
        taken, why = embedding.choose(method, len(chosen))
        return Map(
            index=vectors.path,
            about=vectors.about,
            total=vectors.count,
            dim=vectors.dim,
            paths=paths,
            places=embedding.embed(components, taken, neighbours=neighbours, seed=seed),
            labels=found,
            unusable=unusable,
            method=taken,
            why=why,
            metric=metric,
            variance=variance,
            neighbours=neighbours,
            seed=seed,
        )
