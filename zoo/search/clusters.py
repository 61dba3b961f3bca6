"""Clusters of similar images: k-means on principal components."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.search import sample
from zoo.search.sample import UNUSABLE, Metric
from zoo.search.threads import deterministic
from zoo.vectors import open_vectors

#: Numbers of clusters that are tried if none is given.
TRIED = range(2, 21)

#: Vectors that the number of clusters is chosen by, and those that a silhouette is computed from.
_SEARCHED, _SCORED = 20_000, 3_000
#: Restarts of k-means, and those while the number of clusters is searched for.
_RESTARTS, _RESTARTS_OF_SEARCH = 10, 3


@dataclass(frozen=True, eq=False)
class Cluster:
    """A cluster, 0 is the largest: ``members``, int64 (size,), by distance, and the share of its top folder."""

    number: int
    members: np.ndarray
    central: str
    folder: str | None
    share: float | None

    @property
    def size(self) -> int:
        """Number of images."""
        return len(self.members)


@dataclass(frozen=True, eq=False)
class Clusters:
    """Images in clusters: ``numbers``, int64 (n,), and ``distances`` from the centroid, float32 (n,), of each image.

    ``silhouette`` is the mean over a sample (Rousseeuw, 1987), ``tried`` that of each number of clusters tried.
    """

    index: str
    about: Mapping[str, Any]
    paths: tuple[str, ...]
    numbers: np.ndarray
    distances: np.ndarray
    clusters: tuple[Cluster, ...]
    silhouette: float | None
    tried: Mapping[int, float]
    unusable: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def purity(self) -> float | None:
        """Share of images in the most frequent folder of their cluster; ``None`` if there is one folder."""
        shares = [cluster.share for cluster in self.clusters]
        if None in shares:
            return None
        return sum(cluster.size * (cluster.share or 0.0) for cluster in self.clusters) / len(self)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Path, cluster and distance of each image, then the unusable ones with the error."""
        for path, number, distance in zip(self.paths, self.numbers.tolist(), self.distances.tolist(), strict=True):
            yield {"path": path, "cluster": number, "distance": round(distance, 6)}
        for path in self.unusable:
            yield {"path": path, "error": UNUSABLE}

    def summary(self) -> dict[str, Any]:
        """Everything but the images, for JSON."""
        return {
            "index": self.index,
            "n": len(self),
            "k": len(self.clusters),
            "silhouette": None if self.silhouette is None else round(self.silhouette, 4),
            "tried": {str(k): round(score, 4) for k, score in self.tried.items()},
            "purity": None if self.purity is None else round(self.purity, 4),
            "clusters": [
                {
                    "cluster": cluster.number,
                    "size": cluster.size,
                    "central": cluster.central,
                    "folder": cluster.folder,
                    "share": None if cluster.share is None else round(cluster.share, 4),
                }
                for cluster in self.clusters
            ],
        }


def find_clusters(
    index: str | os.PathLike[str],
    k: int | None = None,
    *,
    layer: str | None = None,
    metric: Metric = "cosine",
    seed: int = 0,
) -> Clusters:
    """Cluster images by k-means (Lloyd, 1957) on 50 principal components; the file is read block by block.

    Without ``k`` it is the one of :data:`TRIED` with the highest mean silhouette.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise UnavailableError("Clusters need scikit-learn, which is not installed: pip install 'keras-zoo[map]'.")
    if k is not None and k < 1:
        raise UsageError(f"The number of clusters is at least 1. Received: {k}")
    with open_vectors(index, layer=layer) as vectors:
        chosen = sample.draw(vectors, metric=metric, seed=seed)
        components, _ = chosen.components(seed)
        paths, unusable = chosen.paths()
    tried = _search(components, seed) if k is None else {}
    if k is None:
        k = max(tried, key=lambda number: tried[number], default=1)
    numbers, distances = _k_means(components, k, seed, _RESTARTS)
    different = len(np.unique(numbers))
    if different < k:
        raise UsageError(f"{vectors.path} has only {different:,} vectors that differ, fewer than -k {k}.")
    return Clusters(
        index=vectors.path,
        about=vectors.about,
        paths=paths,
        numbers=numbers,
        distances=distances,
        clusters=_described(paths, numbers, distances),
        silhouette=tried.get(k, _silhouette(components, numbers, seed)),
        tried=tried,
        unusable=unusable,
    )


def _search(components: np.ndarray, seed: int) -> dict[int, float]:
    """The silhouette of each number of clusters that is possible."""
    rows = _subset(len(components), _SEARCHED, seed)
    scores: dict[int, float] = {}
    for k in TRIED:
        if k >= len(rows):
            break
        numbers, _ = _k_means(components[rows], k, seed, _RESTARTS_OF_SEARCH)
        if len(np.unique(numbers)) < k:
            break
        score = _silhouette(components[rows], numbers, seed)
        if score is not None:
            scores[k] = score
    return scores


def _k_means(components: np.ndarray, k: int, seed: int, restarts: int) -> tuple[np.ndarray, np.ndarray]:
    """Cluster numbers by falling size, int64 (n,), and distances from the centroids, float32 (n,)."""
    count = len(components)
    if k == 1 or not components.shape[1] or count < 2:
        return np.zeros(count, np.int64), np.linalg.norm(components - components.mean(axis=0), axis=1)
    from sklearn.cluster import KMeans

    with deterministic():
        found = KMeans(min(k, count), n_init=restarts, random_state=seed).fit(components)
    sizes = np.bincount(found.labels_, minlength=k)
    rank = np.argsort(np.argsort(-sizes, kind="stable"))
    distances = np.linalg.norm(components - found.cluster_centers_[found.labels_], axis=1)
    return rank[found.labels_].astype(np.int64), distances.astype(np.float32)


def _silhouette(components: np.ndarray, numbers: np.ndarray, seed: int) -> float | None:
    """The mean silhouette of a sample; ``None`` if undefined."""
    from sklearn.metrics import silhouette_score

    rows = _subset(len(components), _SCORED, seed)
    if not 2 <= len(np.unique(numbers[rows])) < len(rows):
        return None
    with deterministic():
        return float(silhouette_score(components[rows], numbers[rows]))


def _subset(count: int, limit: int, seed: int) -> np.ndarray:
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


def _described(paths: tuple[str, ...], numbers: np.ndarray, distances: np.ndarray) -> tuple[Cluster, ...]:
    folders = [sample.folder_name(path) for path in paths]
    several = len(set(folders)) > 1
    found = []
    for number in range(int(numbers.max()) + 1):
        members = np.flatnonzero(numbers == number)
        members = members[np.argsort(distances[members], kind="stable")]
        folder, most = Counter(folders[index] for index in members.tolist()).most_common(1)[0]
        share = most / len(members)
        central = paths[members[0]]
        found.append(Cluster(number, members, central, folder if several else None, share if several else None))
    return tuple(found)
