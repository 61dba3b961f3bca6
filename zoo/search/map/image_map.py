"""A map of images: which vectors are on it, where each stands, and how that was computed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.search.map import embedding, labels, principal, selection
from zoo.search.map.embedding import Method
from zoo.search.map.labels import Labels
from zoo.search.map.selection import Metric

#: More vectors than this are not all on a map, unless that is asked for.
LIMIT = 20_000
#: Why an image is not on a map, nor in a cluster.
UNUSABLE = "its vector is not made of finite numbers"


@dataclass(frozen=True, eq=False)
class Map:
    """Images and their places.

    Attributes:
        index: the file of vectors.
        about: its attributes.
        total: vectors in the file.
        dim: numbers in a vector.
        paths: of the images on the map, in the order of the file.
        places: float32 (n, 2), finite.
        labels: of the images.
        unusable: paths of the vectors that hold no numbers; they are not on the map.
        method: what placed them, and ``why`` it was taken.
        metric: how vectors were compared.
        variance: the share of the variance that the principal components kept, from 0 to 1.
        neighbours: what was asked for, ``None`` for the method's own choice.
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
    method: Method
    why: str
    metric: Metric
    variance: float
    neighbours: int | None
    seed: int

    def __len__(self) -> int:
        """How many images are on the map."""
        return len(self.paths)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Path, x, y and label of each image; then the paths without a place, each with the reason."""
        for index, (path, (x, y)) in enumerate(zip(self.paths, self.places.tolist(), strict=True)):
            yield {"path": path, "x": round(x, 6), "y": round(y, 6), "label": self.labels.of(index)}
        for path in self.unusable:
            yield {"path": path, "error": UNUSABLE}


def make(
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
    """Place the images of a file of vectors on a plane, near to those that are like them.

    The vectors become up to :data:`zoo.search.map.principal.COMPONENTS` principal components, and these two coordinates.
    Memory does not depend on how many vectors the file has, only on how many are on the map.

    Args:
        index: what ``zoo features`` wrote.
        layer: which of its layers, where it has several; the first without.
        method: ``"umap"``, ``"tsne"``, ``"pca"``, or ``"auto"`` for the first of them that is installed.
        metric: ``"cosine"``: vectors are near whose directions are; ``"euclidean"``.
        colours: as ``request`` of :func:`zoo.search.map.labels.find`.
        limit: of more vectors than this a random sample is drawn.
        neighbours: of UMAP, or the perplexity of t-SNE; the method's own choice without.
        seed: of the sample and of the method: the same seed gives the same map.

    Raises:
        UsageError: the file holds no usable vectors, or an argument is no such thing.
        UnavailableError: the package of the method is not installed.
    """
    from zoo.vectors import open_vectors

    embedding.choose(method, limit)
    with open_vectors(index, layer=layer) as vectors:
        chosen = selection.select(vectors, limit=limit, metric=metric, seed=seed)
        paths = tuple(vectors.paths[row] for row in chosen.rows.tolist())
        known = labels.find(colours, paths)
        components, found = reduce(chosen, seed=seed)
        taken, why = embedding.choose(method, len(chosen))
        places = embedding.embed(components, taken, neighbours=neighbours, seed=seed)
        return Map(
            index=vectors.path,
            about=vectors.about,
            total=vectors.count,
            dim=vectors.dim,
            paths=paths,
            places=places,
            labels=known,
            unusable=tuple(vectors.paths[row] for row in chosen.unusable.tolist()),
            method=taken,
            why=why,
            metric=metric,
            variance=float(found.share.sum()),
            neighbours=neighbours,
            seed=seed,
        )


def reduce(chosen: selection.Selection, *, seed: int) -> tuple[np.ndarray, principal.Principal]:
    """The principal components of the selected vectors, float32 (n, k), and what they are."""
    found = principal.fit(chosen.blocks, chosen.vectors.dim, seed=seed)
    return principal.project(chosen.blocks, found, len(chosen)), found
