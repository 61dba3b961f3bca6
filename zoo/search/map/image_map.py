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
    """Images and their coordinates.

    Attributes:
        index: the file of vectors.
        about: its attributes.
        total: vectors in the file.
        dim: numbers in a vector.
        paths: of the images on the map, in file order.
        places: float32 (n, 2), finite.
        labels: of the images.
        unusable: paths whose vectors are not finite; they are not on the map.
        method: one of :data:`zoo.search.map.embedding.METHODS`; ``why`` it was chosen.
        metric: how vectors were compared.
        variance: explained by the principal components, 0 to 1.
        neighbours: as requested; ``None`` for the method's default.
        seed: of the sample and of the method.
    """

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
    """Place the images of a file of vectors on a plane, similar ones close together.

    Vectors are reduced to 50 principal components and these to two coordinates. Memory depends on the images on the
    map, not on those in the file.

    Args:
        index: what ``zoo features`` wrote.
        layer: of several layers in the file; default: the first.
        method: ``"umap"``, ``"tsne"``, ``"pca"``, or ``"auto"`` for the first of them that is installed.
        metric: ``"cosine"``, i.e. Euclidean distance of normalized vectors, or ``"euclidean"``.
        colours: as ``request`` of :func:`zoo.search.map.labels.find`.
        limit: a random sample is drawn from more vectors than this.
        neighbours: of UMAP, or the perplexity of t-SNE; default: the method's.
        seed: the same seed gives the same map.

    Raises:
        UsageError: the file holds no usable vectors, or an argument is invalid.
        UnavailableError: the package of the method is not installed.
    """
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
