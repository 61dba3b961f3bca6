"""Image search: the images whose feature vectors are nearest to that of a query image."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from zoo.core.errors import ImageError, UsageError
from zoo.core.progress import Progress
from zoo.images import inputs
from zoo.images.source import Source
from zoo.inference.features import Extractor
from zoo.pretrained import weights
from zoo.search import approximate, exact
from zoo.search.approximate import ApproximateIndex
from zoo.search.metric import Metric, check_metric
from zoo.search.stored_vectors import StoredVectors
from zoo.vectors import Vectors, open_vectors

#: Decimals of a score.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Match:
    """An image that was found; the larger the score the nearer it is (:mod:`zoo.search.metric`)."""

    path: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The matches of one query, the nearest first, or the error."""

    query: str
    matches: tuple[Match, ...] = ()
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the query could be searched for."""
        return self.error is None


class Searcher:
    """Feature vectors of many images, and the network that computed them, loaded once; a context manager.

    >>> with Searcher("f.h5") as searcher:
    ...     searcher.search("cat.jpg", 3)[0].matches[0]
    Match(path='photos/12.jpg', score=0.913042)
    """

    def __init__(
        self,
        index: str | os.PathLike[str],
        *,
        layer: str | None = None,
        metric: str = "cosine",
        approximate: bool = False,
        by_path: bool = False,
        device: str = "auto",
        engine: str = "auto",
        batch_size: int | None = None,
        offline: bool | None = None,
        progress: weights.Progress | None = None,
    ) -> None:
        """Open a file of vectors. The network starts with the first query.

        Args:
            index: the file, as ``zoo features`` writes it.
            layer: of several layers in the file; default: the first.
            metric: ``"cosine"``, ``"dot"`` or ``"euclidean"``.
            approximate: use an HNSW index, which is built once and cached (:meth:`prepare`); only with ``"cosine"``.
            by_path: take the vectors of queries from the file, by their paths, and compute nothing.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            engine: ``"auto"``, ``"keras"`` or ``"openvino"``.
            batch_size: queries computed together; default: the engine's choice.
            offline: never download; default: ``$ZOO_OFFLINE``.
            progress: called with file name, bytes done and total bytes while weights are downloaded.

        Raises:
            UsageError: no such file, layer, metric or device, or the file does not name its network, or the network
                has changed since.
            UnavailableError: weights or device are unavailable.
        """
        self.metric: Metric = check_metric(metric)
        if approximate and self.metric != "cosine":
            raise UsageError(f"--approximate needs the metric cosine. Received: {metric}")
        self._approximate: ApproximateIndex | None = None
        self._prepared = not approximate
        self.vectors: Vectors = open_vectors(index, layer=layer)
        self.extractor: Extractor | None = None
        if by_path:
            self._stored = StoredVectors(self.vectors)
        elif not self.vectors.about:
            raise UsageError(
                f"{index} does not say which network computed its vectors, so no other image can be compared with "
                "them; --by-path searches with the vectors in it."
            )
        else:
            self.extractor = Extractor.from_attributes(
                self.vectors.about,
                device=device,
                engine=engine,
                batch_size=batch_size,
                offline=offline,
                progress=progress,
            )

    def prepare(self, progress: Progress | None = None) -> None:
        """Open the index for approximate search, building it first if there is none; the first search does so too.

        Args:
            progress: called with the vectors added and their total; a million takes minutes.

        Raises:
            UnavailableError: usearch is not installed, or the index cannot be written.
        """
        if not self._prepared:
            self._approximate = approximate.open_index(self.vectors, progress=progress)
            self._prepared = True

    def search(
        self,
        queries: inputs.Inputs,
        k: int = 10,
        *,
        min_score: float | None = None,
        exclude_self: bool = False,
        recursive: bool = False,
    ) -> list[SearchResult]:
        """Search for images; one result for each query, in order.

        Args:
            queries: files, folders, globs, URLs, or arrays: uint8 RGB (height, width, 3) of any size, or a batch.
            k: matches for each query.
            min_score: leave out matches with a lower score.
            exclude_self: leave out the query itself.
            recursive: search folders recursively.
        """
        found = inputs.stream(queries, recursive=recursive)
        return list(self.stream(found, k, min_score=min_score, exclude_self=exclude_self))

    def stream(
        self,
        queries: inputs.Inputs,
        k: int = 10,
        *,
        min_score: float | None = None,
        exclude_self: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[SearchResult]:
        """Search for a stream of images lazily, in bounded memory; arguments as for :meth:`search`.

        ``progress`` is called with the vectors compared with a batch of queries, and their total.
        """
        if k < 1:
            raise UsageError(f"-k is at least 1. Received: {k}")
        self.prepare()
        together = max(1, min(exact.QUERIES, exact.KEPT // min(k, max(1, self.vectors.count))))
        embedded = self._embedded(inputs.stream(queries))
        while batch := list(itertools.islice(embedded, together)):
            known = [(source, vector) for source, vector in batch if isinstance(vector, np.ndarray)]
            near = iter(self._matches(known, k, exclude_self, progress) if known else ())
            for source, vector in batch:
                if isinstance(vector, ImageError):
                    yield SearchResult(source.path, error=str(vector))
                else:
                    matches = (m for m in next(near) if min_score is None or m.score >= min_score)
                    yield SearchResult(source.path, tuple(matches))

    def close(self) -> None:
        """Close the file."""
        self.vectors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _embedded(self, queries: Iterable[Source]) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
        """The vector of each query, float32 (dim,)."""
        if self.extractor is None:
            yield from self._stored.stream(queries)
            return
        for source, output in self.extractor.stream(queries):
            if isinstance(output, ImageError):
                yield source, output
                continue
            vector = output["features"].astype(np.float32).reshape(-1)
            if self.vectors.count and len(vector) != self.vectors.dim:
                raise UsageError(
                    f"{self.vectors.path} has vectors of {self.vectors.dim} numbers, but the network that it names "
                    f"gives {len(vector)}; compute it again with 'zoo features'."
                )
            yield source, vector if np.isfinite(vector).all() else ImageError("the network gives no finite numbers")

    def _matches(
        self, queries: list[tuple[Source, np.ndarray]], k: int, exclude_self: bool, progress: Progress | None
    ) -> list[list[Match]]:
        stacked = np.stack([vector for _, vector in queries])
        # A query is among the images once as a rule; if more often, more neighbours are needed.
        spare = 1 if exclude_self else 0
        while True:
            if self._approximate is None:
                near = exact.nearest(self.vectors, stacked, k + spare, self.metric, progress=progress)
            else:
                candidates = self._approximate.candidates(stacked, k + spare)
                near = exact.rank(self.vectors, stacked, candidates, k + spare, self.metric)
            matches = self._named(near)
            if not exclude_self:
                return matches
            others = [_without_self(source, those) for (source, _), those in zip(queries, matches, strict=True)]
            enough = (len(kept) >= k or len(all_) < k + spare for kept, all_ in zip(others, matches, strict=True))
            if all(enough):
                return [kept[:k] for kept in others]
            spare *= 8

    def _named(self, near: Sequence[exact.Neighbours]) -> list[list[Match]]:
        """Rows as paths, which are read in file order."""
        rows = np.unique(np.concatenate([one.rows for one in near])).tolist()
        names = {row: self.vectors.paths[row] for row in rows}
        return [
            [
                Match(names[row], score)
                for row, score in zip(one.rows.tolist(), np.round(one.scores, DIGITS).tolist(), strict=True)
            ]
            for one in near
        ]


def _without_self(source: Source, matches: Sequence[Match]) -> list[Match]:
    """The matches that are not the query's file under any name."""
    own = os.path.realpath(source.path) if source.kind == "file" else source.path
    return [m for m in matches if m.path != source.path and ("://" in m.path or os.path.realpath(m.path) != own)]
