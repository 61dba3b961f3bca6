"""The nearest of all vectors of a file, to many queries in one pass: nothing is left out, nothing is kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from zoo.search.metric import Comparison, Metric, scores
from zoo.search.threads import in_order, one_each
from zoo.search.top_k import Top
from zoo.vectors import Vectors

#: Called with the vectors that were compared, and those that there are to compare.
Progress = Callable[[int, int], None]

#: Queries that are compared together, and how many of their best scores, those of all of them, are in memory.
QUERIES, KEPT = 256, 1 << 22
#: Bytes of a block of vectors, of the table of its scores, and of the vectors whose scores are computed exactly.
_BLOCK, _TABLE, _EXACT = 8 << 20, 8 << 20, 16 << 20
#: Candidates beyond k, as the product in float32 may put neighbours in another order.
_SPARE = 8


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest vectors to a query, the nearest first: ``rows`` int64 (n,), ``scores`` float64 (n,)."""

    rows: np.ndarray
    scores: np.ndarray


def nearest(
    vectors: Vectors, queries: np.ndarray, count: int, metric: Metric = "cosine", *, progress: Progress | None = None
) -> list[Nearest]:
    """The nearest vectors to each query, by comparing it with every one.

    Candidates are found by products in float32; their scores are then computed again in float64 from the vectors as
    they are stored, so that copies have equal scores. Equal scores are in the order of the rows. Vectors that are not
    finite are never found.

    Args:
        vectors: where to look.
        queries: float32 (q, dim), finite.
        count: how many for each query, at least 1; fewer where there are fewer vectors.
        metric: what to compare by.
        progress: told how far it is.

    Returns:
        One for each query.
    """
    if not vectors.count:
        return [Nearest(np.empty(0, np.int64), np.empty(0)) for _ in queries]
    wanted = min(count + _SPARE, vectors.count)
    together = max(1, min(QUERIES, KEPT // wanted))
    batches = [queries[start : start + together] for start in range(0, len(queries), together)]
    found: list[Nearest] = []
    for number, batch in enumerate(batches):
        top = Top(len(batch), wanted)
        with one_each():
            for first, table in _tables(vectors, Comparison(batch, metric), len(batch)):
                top.add(first, table)
                if progress is not None:
                    progress(number * vectors.count + first + table.shape[1], len(batches) * vectors.count)
        found += ranked(vectors, batch, [top.rows(query) for query in range(len(batch))], count, metric)
    return found


def ranked(
    vectors: Vectors, queries: np.ndarray, candidates: Iterable[np.ndarray], count: int, metric: Metric
) -> list[Nearest]:
    """The nearest of some vectors to each query, by their exact scores.

    Args:
        vectors: where they are.
        queries: float32 (q, dim).
        candidates: the rows to look at for each query, int64.
        count: how many to keep for each.
        metric: what to compare by.
    """
    rows = [np.sort(those) for those in candidates]
    query_of = np.repeat(np.arange(len(queries)), [len(those) for those in rows])
    all_rows = np.concatenate(rows) if rows else np.empty(0, np.int64)
    exact = np.empty(len(all_rows), np.float64)
    for part in _parts(all_rows, vectors.dim):
        different, place = np.unique(all_rows[part], return_inverse=True)
        stored = vectors.take(different).reshape(len(different), vectors.dim)[place]
        exact[part] = scores(queries[query_of[part]], stored, metric)
    found = []
    for start, those in zip(np.cumsum([0, *map(len, rows)])[:-1], rows, strict=True):
        values = exact[start : start + len(those)]
        finite = np.flatnonzero(np.isfinite(values))
        order = finite[np.argsort(-values[finite], kind="stable")][:count]
        found.append(Nearest(those[order], values[order]))
    return found


def _tables(vectors: Vectors, comparison: Comparison, queries: int) -> Iterator[tuple[int, np.ndarray]]:
    """The scores of all queries block by block, float32 (queries, n), each with its first row."""
    norms = vectors.norms

    def compare(item: tuple[int, np.ndarray]) -> tuple[int, np.ndarray]:
        first, block = item
        return first, comparison.with_block(block, None if norms is None else norms[first : first + len(block)])

    return in_order(compare, vectors.blocks(_rows(vectors.dim, queries)))


def _parts(rows: np.ndarray, dim: int) -> Iterator[np.ndarray]:
    """Places of the rows in the order of the file, as many at a time as fit in memory."""
    order = np.argsort(rows, kind="stable")
    size = max(1, _EXACT // (8 * dim))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _rows(dim: int, queries: int) -> int:
    """Vectors of a block: so many that neither they nor their scores take much memory."""
    return max(1, min(_BLOCK // (4 * dim), _TABLE // (4 * queries)))
