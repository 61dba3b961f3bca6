"""Groups of images that are like one another: k-means on principal components."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.search.map import embedding, labels, projection, selection
from zoo.search.map.selection import Metric

#: Numbers of clusters that are tried where nobody says how many.
TRIED = range(2, 21)

#: Vectors that the number of clusters is chosen by, and those that a silhouette is computed from.
_SEARCHED, _SCORED = 20_000, 3_000
#: Times that k-means begins anew; the best result counts. Fewer while the number of clusters is looked for.
_STARTS, _STARTS_OF_SEARCH = 10, 3


@dataclass(frozen=True, eq=False)
class Cluster:
    """One group.

    Attributes:
        number: from 0, the largest first.
        members: int64 (size,), indices of its images, the most typical first.
        central: the path of the image that is nearest to its middle.
        folder: the folder that most of its images are in, ``None`` where all images are in one.
        share: of its images in that folder, from 0 to 1.
    """

    number: int
    members: np.ndarray
    central: str
    folder: str | None
    share: float | None

    @property
    def size(self) -> int:
        """How many images there are in it."""
        return len(self.members)


@dataclass(frozen=True, eq=False)
class Clusters:
    """Images in groups.

    Attributes:
        index: the file of vectors.
        about: its attributes.
        paths: of the images.
        numbers: int64 (n,), the cluster of each.
        distances: float32 (n,), of each from the middle of its cluster.
        clusters: the largest first.
        silhouette: the mean over a sample (Rousseeuw, 1987), from -1 to 1: how much nearer images are to their own
            cluster than to the next one; ``None`` for a single cluster.
        tried: the silhouette for each number of clusters that was tried; empty where the number was given.
        unusable: paths of the vectors that hold no numbers.
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
        """How many images there are."""
        return len(self.paths)

    @property
    def purity(self) -> float | None:
        """The share of images that are in the most frequent folder of their cluster; ``None`` for one folder."""
        shares = [cluster.share for cluster in self.clusters]
        if None in shares:
            return None
        return sum(cluster.size * (cluster.share or 0.0) for cluster in self.clusters) / len(self)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Path, cluster and distance of each image; then the paths without a cluster, each with the reason."""
        for path, number, distance in zip(self.paths, self.numbers.tolist(), self.distances.tolist(), strict=True):
            yield {"path": path, "cluster": number, "distance": round(distance, 6)}
        for path in self.unusable:
            yield {"path": path, "error": projection.UNUSABLE}

    def summary(self) -> dict[str, Any]:
        """Everything but the images, as plain values."""
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


def make(
    index: str | os.PathLike[str],
    k: int | None = None,
    *,
    layer: str | None = None,
    metric: Metric = "cosine",
    seed: int = 0,
) -> Clusters:
    """Divide the images of a file of vectors into groups, by k-means (Lloyd, 1957) on principal components.

    The file is read block by block; in memory are 50 numbers for each of its vectors.

    Args:
        index: what ``zoo features`` wrote.
        k: how many groups; without, the number of :data:`TRIED` that has the highest mean silhouette.
        layer: which of its layers, where it has several; the first without.
        metric: ``"cosine"``: vectors are near whose directions are; ``"euclidean"``.
        seed: of all that is drawn: the same seed gives the same groups.

    Raises:
        UsageError: the file holds no usable vectors, or fewer than ``k`` that differ.
        UnavailableError: scikit-learn is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise UnavailableError("Clusters need scikit-learn, which is not installed: pip install 'keras-zoo[map]'.")
    if k is not None and k < 1:
        raise UsageError(f"The number of clusters is at least 1. Received: {k}")
    from zoo.vectors import open_vectors

    with open_vectors(index, layer=layer) as vectors:
        chosen = selection.select(vectors, metric=metric, seed=seed)
        components, _ = projection.reduce(chosen, seed=seed)
        paths = tuple(vectors.paths[row] for row in chosen.rows.tolist())
        unusable = tuple(vectors.paths[row] for row in chosen.unusable.tolist())
    tried = _search(components, seed) if k is None else {}
    if k is None:
        k = max(tried, key=lambda number: tried[number], default=1)
    numbers, distances = _divided(components, k, seed, _STARTS)
    there = len(np.unique(numbers))
    if there < k:
        raise UsageError(f"{vectors.path} has only {there:,} vectors that differ, which is less than -k {k}.")
    score = tried.get(k, _silhouette(components, numbers, seed))
    return Clusters(
        index=vectors.path,
        about=vectors.about,
        paths=paths,
        numbers=numbers,
        distances=distances,
        clusters=_described(paths, numbers, distances),
        silhouette=score,
        tried=tried,
        unusable=unusable,
    )


def _search(components: np.ndarray, seed: int) -> dict[int, float]:
    """The silhouette for each number of clusters that makes sense; none where only one does."""
    rows = _sample(len(components), _SEARCHED, seed)
    scores: dict[int, float] = {}
    for k in TRIED:
        if k >= len(rows):
            break
        numbers, _ = _divided(components[rows], k, seed, _STARTS_OF_SEARCH)
        # Fewer came out: there are no more different vectors.
        if len(np.unique(numbers)) < k:
            break
        score = _silhouette(components[rows], numbers, seed)
        if score is not None:
            scores[k] = score
    return scores


def _divided(components: np.ndarray, k: int, seed: int, starts: int) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each vector, the largest first, and its distance from the middle: int64 (n,), float32 (n,)."""
    count = len(components)
    if k == 1 or not components.shape[1] or count < 2:
        return np.zeros(count, np.int64), np.linalg.norm(components - components.mean(axis=0), axis=1)
    from sklearn.cluster import KMeans

    with embedding.alone():
        found = KMeans(min(k, count), n_init=starts, random_state=seed).fit(components)
    sizes = np.bincount(found.labels_, minlength=k)
    rank = np.argsort(np.argsort(-sizes, kind="stable"))
    distances = np.linalg.norm(components - found.cluster_centers_[found.labels_], axis=1)
    return rank[found.labels_].astype(np.int64), distances.astype(np.float32)


def _silhouette(components: np.ndarray, numbers: np.ndarray, seed: int) -> float | None:
    """The mean silhouette of a sample; ``None`` where it has a single cluster, or nothing but clusters of one."""
    from sklearn.metrics import silhouette_score

    rows = _sample(len(components), _SCORED, seed)
    if not 2 <= len(np.unique(numbers[rows])) < len(rows):
        return None
    with embedding.alone():
        return float(silhouette_score(components[rows], numbers[rows]))


def _sample(count: int, limit: int, seed: int) -> np.ndarray:
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


def _described(paths: tuple[str, ...], numbers: np.ndarray, distances: np.ndarray) -> tuple[Cluster, ...]:
    folders = [labels.folder(path) for path in paths]
    several = len(set(folders)) > 1
    found = []
    for number in range(int(numbers.max()) + 1):
        members = np.flatnonzero(numbers == number)
        members = members[np.argsort(distances[members], kind="stable")]
        folder, most = Counter(folders[index] for index in members.tolist()).most_common(1)[0]
        found.append(
            Cluster(
                number,
                members,
                paths[members[0]],
                folder if several else None,
                most / len(members) if several else None,
            )
        )
    return tuple(found)
