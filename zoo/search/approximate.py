"""An index that finds most of the nearest vectors by looking at few of them; it is built once and kept.

The vectors are projected onto the directions in which they vary most, and joined to a graph of neighbours (Malkov and
Yashunin, Efficient and robust approximate nearest neighbor search using hierarchical navigable small world graphs,
2018), as usearch builds it. What is found there is compared exactly by whoever asks, with the vectors as they are
stored, so that scores are right and only a neighbour may be missing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core import artifacts
from zoo.core.errors import UnavailableError
from zoo.core.hardware import processors
from zoo.search.bounds import principal, to_units
from zoo.search.exact import Progress
from zoo.search.threads import one_each
from zoo.vectors import Vectors

if TYPE_CHECKING:
    from usearch.index import Index

log = logging.getLogger(__name__)

#: Raised whenever the index is built in another way.
FORMAT = 1
#: Below so many vectors all are compared in less time than it takes to load what avoids it.
LEAST = 20_000
#: Directions that are kept; edges of a vertex; and how many are looked at for it when the graph is built.
DIRECTIONS, EDGES, EFFORT = 128, 16, 128

#: Rows that are added at once; Ctrl-C has to wait for them.
_ROWS = 1024
#: Rows that tell one file from another of the same size and date.
_TELLING = 64


class Approximate:
    """The index of some vectors, and of nothing else."""

    def __init__(self, folder: Path) -> None:
        """Open what :func:`build` has made.

        Raises:
            UnavailableError: usearch is not installed, or the index is damaged.
        """
        self._basis = np.load(folder / "basis.npy")
        try:
            self._index: Index = _usearch().Index.restore(folder / "graph.usearch", view=True)
        except (ValueError, RuntimeError) as error:
            raise UnavailableError(f"{folder} is damaged; remove it, and it is built again.") from error

    def candidates(self, queries: np.ndarray, count: int) -> list[np.ndarray]:
        """Rows among which most of the ``count`` nearest of each query are, by their cosine.

        Args:
            queries: float32 (q, dim), finite.
            count: how many will be kept.

        Returns:
            int64 (n,) for each query, in any order; a few times as many.
        """
        wanted = min(4 * count + 32, len(self._index))
        self._index.expansion_search = 4 * wanted
        found = self._index.search(np.atleast_2d(to_units(queries) @ self._basis), wanted, threads=processors())
        keys = np.atleast_2d(found.keys).astype(np.int64)
        counts = getattr(found, "counts", [keys.shape[1]])
        return [row[:size] for row, size in zip(keys, counts, strict=True)]


def find(vectors: Vectors, *, progress: Progress | None = None) -> Approximate | None:
    """The index of vectors, built now where there is none yet; ``None`` where there are too few to need one.

    Args:
        vectors: whose nearest neighbours are looked for by their cosine.
        progress: told how far building is.

    Raises:
        UnavailableError: usearch is not installed, or the index cannot be written.
    """
    if vectors.count < LEAST:
        return None
    _usearch()
    model = os.path.basename(str(vectors.about.get("model") or "vectors")).removesuffix(".keras")
    target = artifacts.root("neighbours") / f"{model}-{_identity(vectors)}"
    if not (target / "about.json").is_file():
        log.info("an index of %s is built, once; 'zoo cache prune --neighbours' removes it", vectors.path)
        build(vectors, target, progress=progress)
    return Approximate(target)


def build(vectors: Vectors, target: Path, *, progress: Progress | None = None) -> None:
    """Build the index of vectors in a folder, which is there when it is whole.

    Raises:
        UnavailableError: usearch is not installed, or the folder cannot be written.
    """
    with one_each():
        basis = principal(vectors, DIRECTIONS)
    index = _usearch().Index(
        ndim=basis.shape[1],
        metric="cos",
        dtype="f16",
        connectivity=EDGES,
        expansion_add=EFFORT,
        enable_key_lookups=False,
    )
    try:
        # The folder is made first: that it cannot be is not found out after an hour.
        with artifacts.making(target) as work:
            for first, block in vectors.blocks(_ROWS):
                units = to_units(block)
                # Those without length, and those that are not finite, are nobody's neighbours.
                rows = np.flatnonzero(units.any(axis=1))
                if len(rows):
                    index.add(first + rows, units[rows] @ basis, threads=processors())
                if progress is not None:
                    progress(first + len(block), vectors.count)
            np.save(work / "basis.npy", basis)
            index.save(work / "graph.usearch")
            about = {"format": FORMAT, "of": os.path.abspath(vectors.path), "pictures": vectors.count}
            (work / "about.json").write_text(json.dumps(about), encoding="utf-8")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnavailableError(
            f"The index of {vectors.path} cannot be written to {target.parent} ({reason.lower()}); make room, or set "
            "ZOO_CACHE to another folder."
        ) from error


def _identity(vectors: Vectors) -> str:
    """Names the content of vectors: a file of the same size and date with the same rows is the same."""
    path = Path(vectors.path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    rows = np.linspace(0, vectors.count - 1, _TELLING).astype(np.int64)
    described = [FORMAT, stamps, vectors.column.name, vectors.count, vectors.shape, str(vectors.dtype)]
    digest = hashlib.blake2b(json.dumps(described).encode(), digest_size=10)
    digest.update(vectors.take(rows).tobytes())
    return digest.hexdigest()


def _usearch() -> Any:
    """The package, which is imported here alone.

    Raises:
        UnavailableError: it is not installed.
    """
    try:
        import usearch.index
    except ImportError as error:
        raise UnavailableError(
            "--approximate needs usearch, which is not installed: pip install 'keras-zoo[search]'."
        ) from error
    return usearch.index
