"""Which images of many are most like one: the nearest by the vectors that a network makes of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from zoo.core.errors import ImageError, UsageError
from zoo.images import inputs
from zoo.images.sources import Source
from zoo.inference.features import Extractor
from zoo.pretrained import weights
from zoo.search import approximate, exact
from zoo.search.approximate import Approximate
from zoo.search.by_path import ByPath
from zoo.search.exact import Nearest, Progress
from zoo.search.metric import Metric, check
from zoo.vectors import Vectors, open_vectors

#: Digits after the point of a score.
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Match:
    """An image that was found. The larger the score the nearer it is; see :mod:`zoo.search.metric`."""

    path: str
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one query: matches, the nearest first, or the reason why there are none."""

    query: str
    matches: tuple[Match, ...] = ()
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether it could be searched for."""
        return self.error is None


class Searcher:
    """Vectors of many images, and the network that made them, loaded once; a context manager.

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
        """Open vectors. The network starts with the first query.

        Args:
            index: the file of vectors, as ``zoo features`` writes it.
            layer: which of several layers of the file; the first without.
            metric: ``"cosine"``, ``"dot"`` or ``"euclidean"``.
            approximate: look at a part of many vectors only, with an index that is built once and kept
                (:meth:`prepare`); with the metric ``"cosine"`` alone.
            by_path: take the vectors of queries from the file, by their paths, and compute nothing.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            engine: ``"auto"``, ``"keras"`` or ``"openvino"``.
            batch_size: queries computed together; the engine's own choice without.
            offline: never use the network; ``$ZOO_OFFLINE`` decides without.
            progress: called with file name, bytes done and bytes in all while weights are fetched.

        Raises:
            UsageError: there is no such file, layer, metric or device, or the file does not say which network made it,
                or that network has changed.
            UnavailableError: weights or device are not to be had.
        """
        self.metric: Metric = check(metric)
        if approximate and self.metric != "cosine":
            raise UsageError(f"--approximate goes with the metric cosine. Received: {metric}")
        self._approximate: Approximate | None = None
        self._prepared = not approximate
        self.vectors: Vectors = open_vectors(index, layer=layer)
        self.extractor: Extractor | None = None
        if by_path:
            self._by_path = ByPath(self.vectors)
        elif not self.vectors.about:
            raise UsageError(
                f"{index} does not say which network made its vectors, so that no other image can be compared with "
                "them; --by-path searches with the vectors that are in it."
            )
        else:
            self.extractor = Extractor.like(
                self.vectors.about,
                device=device,
                engine=engine,
                batch_size=batch_size,
                offline=offline,
                progress=progress,
            )

    def prepare(self, progress: Progress | None = None) -> None:
        """Open the index for an approximate search, and build it first where there is none; nothing for an exact one.

        The first search does so too. ``progress`` is told how far building is, which takes minutes for a million.

        Raises:
            UnavailableError: usearch is not installed, or the index cannot be written.
        """
        if not self._prepared:
            self._approximate = approximate.find(self.vectors, progress=progress)
            self._prepared = True

    def search(
        self,
        queries: inputs.Inputs,
        k: int = 10,
        *,
        min_score: float | None = None,
        exclude_self: bool = False,
        recursive: bool = False,
    ) -> list[Found]:
        """Search for images, in order.

        Args:
            queries: files, folders, globs, addresses, or arrays: uint8 RGB (height, width, 3) of any size, or a batch.
            k: how many to find for each.
            min_score: leave out what is less near.
            exclude_self: leave out the query, where it is among the images.
            recursive: look into folders within folders.

        Returns:
            One for each query; one that cannot be read has its reason in ``error``.
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
    ) -> Iterator[Found]:
        """Search for a stream of images, lazily; see :meth:`search`. Memory does not grow with its length.

        ``progress`` is told how far it is with the queries that are compared together.
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
                    yield Found(source.path, error=str(vector))
                else:
                    matches = next(near)
                    yield Found(source.path, tuple(m for m in matches if min_score is None or m.score >= min_score))

    def close(self) -> None:
        """Close the file."""
        self.vectors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _embedded(self, queries: Iterable[Source]) -> Iterator[tuple[Source, np.ndarray | ImageError]]:
        """The vector of each query: float32 (dim,)."""
        if self.extractor is None:
            yield from self._by_path.stream(queries)
            return
        for source, output in self.extractor.stream(queries):
            if isinstance(output, ImageError):
                yield source, output
                continue
            vector = output["features"].astype(np.float32).reshape(-1)
            if self.vectors.count and len(vector) != self.vectors.dim:
                raise UsageError(
                    f"{self.vectors.path} has vectors of {self.vectors.dim} numbers, and the network that it names "
                    f"gives {len(vector)}; make it again with 'zoo features'."
                )
            yield source, vector if np.isfinite(vector).all() else ImageError("the network gives no finite numbers")

    def _matches(
        self, queries: list[tuple[Source, np.ndarray]], k: int, exclude_self: bool, progress: Progress | None
    ) -> list[list[Match]]:
        """The matches of each query, without itself where that is not wanted."""
        stacked = np.stack([vector for _, vector in queries])
        # A path is among the images once, as a rule; where it is there more often there is more to look for.
        spare = 1 if exclude_self else 0
        while True:
            matches = self._named(self._nearest(stacked, k + spare, progress))
            if not exclude_self:
                return matches
            others = [_others(source, those) for (source, _), those in zip(queries, matches, strict=True)]
            enough = (len(kept) >= k or len(all_) < k + spare for kept, all_ in zip(others, matches, strict=True))
            if all(enough):
                return [kept[:k] for kept in others]
            spare *= 8

    def _nearest(self, queries: np.ndarray, k: int, progress: Progress | None) -> list[Nearest]:
        if self._approximate is None:
            return exact.nearest(self.vectors, queries, k, self.metric, progress=progress)
        return exact.ranked(self.vectors, queries, self._approximate.candidates(queries, k), k, self.metric)

    def _named(self, near: Sequence[Nearest]) -> list[list[Match]]:
        """Rows with their names, which are read in the order of the file."""
        rows = np.unique(np.concatenate([one.rows for one in near])).tolist()
        names = {row: self.vectors.paths[row] for row in rows}
        return [
            [
                Match(names[row], score)
                for row, score in zip(one.rows.tolist(), np.round(one.scores, DIGITS).tolist(), strict=True)
            ]
            for one in near
        ]


def _others(source: Source, matches: Sequence[Match]) -> list[Match]:
    """Those that are not the query itself, under whatever name."""
    own = os.path.realpath(source.path) if source.kind == "file" else source.path
    return [m for m in matches if m.path != source.path and ("://" in m.path or os.path.realpath(m.path) != own)]


def search(
    queries: inputs.Inputs,
    index: str | os.PathLike[str],
    k: int = 10,
    *,
    min_score: float | None = None,
    exclude_self: bool = False,
    recursive: bool = False,
    **settings: Any,
) -> list[Found]:
    """Search by one call; :class:`Searcher` is for many, and for streams.

    >>> search("cat.jpg", "f.h5", 3)[0].matches[0]
    Match(path='photos/12.jpg', score=0.913042)

    Args:
        queries: as for :meth:`Searcher.search`.
        index: as for :class:`Searcher`.
        k: how many to find for each.
        min_score: leave out what is less near.
        exclude_self: leave out the query, where it is among the images.
        recursive: look into folders within folders.
        **settings: what else :class:`Searcher` takes.

    Raises:
        UsageError: as for :class:`Searcher`.
        UnavailableError: as for :class:`Searcher`.
    """
    with Searcher(index, **settings) as searcher:
        return searcher.search(queries, k, min_score=min_score, exclude_self=exclude_self, recursive=recursive)
