"""Approximate nearest neighbours by cosine: a cached HNSW graph of principal components (Malkov and Yashunin, 2018).

Candidates are scored exactly by the caller: scores are right, only a neighbour may be missed.
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
from zoo.core.progress import Progress
from zoo.search.metric import normalized
from zoo.search.pca import principal_directions, unit_sample
from zoo.search.threads import single_threaded_blas
from zoo.vectors import Vectors

if TYPE_CHECKING:
    from usearch.index import Index

log = logging.getLogger(__name__)

#: Raised whenever the index is built in another way.
FORMAT = 1
#: Fewer vectors than this are compared exhaustively, which is faster.
LEAST = 20_000
#: Principal directions kept, edges of a vertex, and candidates examined for each vertex while building.
DIRECTIONS, EDGES, EXPANSION = 128, 16, 128

#: Rows added at once; Ctrl-C has to wait for them.
_ROWS = 1024
#: Rows whose content identifies a file, together with sizes and dates.
_FINGERPRINT_ROWS = 64


class ApproximateIndex:
    """The index of one file of vectors."""

    def __init__(self, folder: Path) -> None:
        """Open what :func:`build_index` wrote."""
        self._basis = np.load(folder / "basis.npy")
        try:
            self._index: Index = _usearch().Index.restore(folder / "graph.usearch", view=True)
        except (ValueError, RuntimeError) as error:
            raise UnavailableError(f"{folder} is damaged; remove it, and it is built again.") from error

    def candidates(self, queries: np.ndarray, k: int) -> list[np.ndarray]:
        """int64 rows for each query, float32 (q, dim): most of the ``k`` nearest by cosine, and more."""
        wanted = min(4 * k + 32, len(self._index))
        self._index.expansion_search = 4 * wanted
        found = self._index.search(np.atleast_2d(normalized(queries) @ self._basis), wanted, threads=processors())
        keys = np.atleast_2d(found.keys).astype(np.int64)
        counts = getattr(found, "counts", [keys.shape[1]])
        return [row[:size] for row, size in zip(keys, counts, strict=True)]


def open_index(vectors: Vectors, *, progress: Progress | None = None) -> ApproximateIndex | None:
    """The index of vectors, built now if there is none yet; ``None`` below :data:`LEAST` vectors.

    ``progress`` is called with the vectors added and their total.
    """
    if vectors.count < LEAST:
        return None
    _usearch()
    model = os.path.basename(str(vectors.about.get("model") or "vectors")).removesuffix(".keras")
    target = artifacts.root("neighbours") / f"{model}-{_fingerprint(vectors)}"
    if not (target / "about.json").is_file():
        log.info("building an index of %s; 'zoo cache prune --neighbours' removes it", vectors.path)
        build_index(vectors, target, progress=progress)
    return ApproximateIndex(target)


def build_index(vectors: Vectors, target: Path, *, progress: Progress | None = None) -> None:
    """Build the index in a folder, which appears when it is complete."""
    with single_threaded_blas():
        basis = principal_directions(unit_sample(vectors), DIRECTIONS)
    index = _usearch().Index(
        ndim=basis.shape[1],
        metric="cos",
        dtype="f16",
        connectivity=EDGES,
        expansion_add=EXPANSION,
        enable_key_lookups=False,
    )
    about = {"format": FORMAT, "of": os.path.abspath(vectors.path), "pictures": vectors.count}
    try:
        # Before the work, which may take an hour: fails if the folder cannot be made.
        with artifacts.create(target, about) as work:
            for first, block in vectors.blocks(_ROWS):
                units = normalized(block)
                # Zero vectors and vectors that are not finite are nobody's neighbours.
                rows = np.flatnonzero(units.any(axis=1))
                if len(rows):
                    index.add(first + rows, units[rows] @ basis, threads=processors())
                if progress is not None:
                    progress(first + len(block), vectors.count)
            np.save(work / "basis.npy", basis)
            index.save(work / "graph.usearch")
    except RuntimeError as error:
        # usearch raises it for a full disk.
        raise UnavailableError(
            f"The index of {vectors.path} cannot be written to {target.parent} ({str(error).lower()}); free space, "
            "or set ZOO_CACHE to another folder."
        ) from error


def _fingerprint(vectors: Vectors) -> str:
    """Digest of sizes, dates and some rows of a file."""
    path = Path(vectors.path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    stamps = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    rows = np.linspace(0, vectors.count - 1, _FINGERPRINT_ROWS).astype(np.int64)
    described = [FORMAT, stamps, vectors.column.name, vectors.count, vectors.shape, str(vectors.dtype)]
    digest = hashlib.blake2b(json.dumps(described).encode(), digest_size=10)
    digest.update(vectors.take(rows).tobytes())
    return digest.hexdigest()


def _usearch() -> Any:
    try:
        import usearch.index
    except ImportError as error:
        raise UnavailableError(
            "--approximate needs usearch, which is not installed: pip install 'keras-zoo[search]'."
        ) from error
    return usearch.index
