"""Exact nearest neighbours: every vector of a file is compared with many queries in one pass, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from zoo.core.progress import Progress
from zoo.search.metric import Comparison, Metric, scores
from zoo.search.threads import in_order, single_threaded_blas
from zoo.search.top_k import TopK
from zoo.vectors import Vectors

#: Queries that are compared together, and how many of their best scores are in memory.
QUERIES, KEPT = 256, 1 << 22
#: Bytes of a block of vectors, of its table of scores, and of vectors whose scores are computed exactly.
_BLOCK, _TABLE, _EXACT = 8 << 20, 8 << 20, 16 << 20
#: Candidates beyond k, because float32 products may rank close neighbours differently.
_SPARE = 8


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest vectors of a query, the nearest first: ``rows`` int64 (n,), ``scores`` float64 (n,)."""

    rows: np.ndarray
    scores: np.ndarray


def nearest(
    vectors: Vectors, queries: np.ndarray, k: int, metric: Metric = "cosine", *, progress: Progress | None = None
) -> list[Neighbours]:
    """The k nearest vectors of each query, float32 (q, dim), by exhaustive comparison.

    Candidates come from float32 products; scores are computed again in float64 from the vectors as stored, so that
    copies have equal scores. Equal scores are in row order. Vectors that are not finite are never found.
    """
    if not vectors.count:
        return [Neighbours(np.empty(0, np.int64), np.empty(0)) for _ in queries]
    wanted = min(k + _SPARE, vectors.count)
    together = max(1, min(QUERIES, KEPT // wanted))
    batches = [queries[start : start + together] for start in range(0, len(queries), together)]
    found: list[Neighbours] = []
    for number, batch in enumerate(batches):
        top = TopK(len(batch), wanted)
        with single_threaded_blas():
            for first, table in _tables(vectors, Comparison(batch, metric), len(batch)):
                top.add(first, table)
                if progress is not None:
                    progress(number * vectors.count + first + table.shape[1], len(batches) * vectors.count)
        found += rank(vectors, batch, [top.rows(query) for query in range(len(batch))], k, metric)
    return found


def rank(
    vectors: Vectors, queries: np.ndarray, candidates: Iterable[np.ndarray], k: int, metric: Metric
) -> list[Neighbours]:
    """The k nearest of each query's candidates (rows, int64) by their exact scores."""
    rows = [np.sort(those) for those in candidates]
    query_of = np.repeat(np.arange(len(queries)), [len(those) for those in rows])
    all_rows = np.concatenate(rows) if rows else np.empty(0, np.int64)
    exact = np.empty(len(all_rows), np.float64)
    order = np.argsort(all_rows, kind="stable")
    size = max(1, _EXACT // (8 * vectors.dim))
    for start in range(0, len(order), size):
        part = order[start : start + size]
        different, place = np.unique(all_rows[part], return_inverse=True)
        stored = vectors.take(different).reshape(len(different), vectors.dim)[place]
        exact[part] = scores(queries[query_of[part]], stored, metric)
    found = []
    for start, those in zip(np.cumsum([0, *map(len, rows)])[:-1], rows, strict=True):
        values = exact[start : start + len(those)]
        finite = np.flatnonzero(np.isfinite(values))
        best = finite[np.argsort(-values[finite], kind="stable")][:k]
        found.append(Neighbours(those[best], values[best]))
    return found


def _tables(vectors: Vectors, comparison: Comparison, queries: int) -> Iterator[tuple[int, np.ndarray]]:
    """The scores of all queries block by block, float32 (queries, n), each with its first row."""
    norms = vectors.norms

    def compare(item: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
        first, block = item
        return first, comparison.with_block(block, None if norms is None else norms[first : first + len(block)])

    rows = max(1, min(_BLOCK // (4 * vectors.dim), _TABLE // (4 * queries)))
    return in_order(compare, vectors.blocks(rows))
