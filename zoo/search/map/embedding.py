"""2-D embedding of principal components: UMAP, t-SNE, or the first two components."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.search.threads import deterministic

#: Fewer vectors than this are placed by PCA.
FEWEST = 10
#: More vectors than this take t-SNE too long to be the default.
MOST_FOR_TSNE = 20_000
#: Largest coordinate of the initial layout, as UMAP's authors use it.
_SPREAD = 10.0


@dataclass(frozen=True)
class Method:
    """An embedding method: its title, package and distribution, default neighbours, and function.

    ``embed`` takes components, neighbours, seed and initial layout, float32 (n, 2); without it the layout is final.
    """

    title: str
    package: str | None = None
    distribution: str = ""
    neighbours: int | None = None
    embed: Callable[[np.ndarray, int, int, np.ndarray], np.ndarray] | None = None


def _umap(components: np.ndarray, neighbours: int, seed: int, start: np.ndarray) -> np.ndarray:
    variant = "umap.parametric_umap"
    with contextlib.ExitStack() as stack:
        if variant not in sys.modules:
            # The package imports TensorFlow, if installed, for a variant that is not used here.
            sys.modules[variant] = None  # type: ignore[assignment]
            stack.callback(sys.modules.pop, variant, None)
        from umap import UMAP
    mapper = UMAP(n_neighbors=min(neighbours, len(components) - 1), init=start, random_state=seed)
    places: np.ndarray = mapper.fit_transform(components)
    return places


def _tsne(components: np.ndarray, perplexity: int, seed: int, start: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    perplexity = max(1, min(perplexity, (len(components) - 1) // 3))
    # t-SNE needs a small initial layout (Kobak and Berens, 2019).
    small = start * (1e-4 / max(float(start[:, 0].std()), 1e-12))
    places: np.ndarray = TSNE(perplexity=perplexity, init=small, random_state=seed).fit_transform(components)
    return places


#: By preference: McInnes, Healy and Melville, 2018; van der Maaten and Hinton, 2008 (``neighbours`` is the perplexity).
METHODS = {
    "umap": Method("UMAP", "umap", "umap-learn", 15, _umap),
    "tsne": Method("t-SNE", "sklearn", "scikit-learn", 30, _tsne),
    "pca": Method("principal components"),
}


def choose(request: str, count: int) -> tuple[str, str]:
    """The method for ``count`` vectors, and the reason."""
    if request not in ("auto", *METHODS):
        raise UsageError(f"--method takes auto, {', '.join(METHODS)}. Received: {request}")
    if request == "pca":
        return "pca", "as requested"
    if request != "auto" and not _installed(request):
        raise UnavailableError(
            f"--method {request} needs {METHODS[request].distribution}, which is not installed; "
            "pip install 'keras-zoo[map]' adds it."
        )
    if count < FEWEST:
        return "pca", f"there are fewer than {FEWEST} vectors"
    if request != "auto":
        return request, "as requested"
    if _installed("umap"):
        return "umap", "umap-learn is installed"
    if _installed("tsne") and count <= MOST_FOR_TSNE:
        return "tsne", "scikit-learn is installed and umap-learn is not"
    return "pca", "umap-learn is not installed; pip install 'keras-zoo[map]' adds it"


def embed(components: np.ndarray, method: str, *, neighbours: int | None = None, seed: int = 0) -> np.ndarray:
    """Coordinates, float32 (n, 2), of principal components, float32 (n, k) by falling variance; deterministic.

    UMAP and t-SNE start from the first two components, which keeps the global structure.
    """
    if neighbours is not None and neighbours < 2:
        raise UsageError(f"--neighbours is at least 2. Received: {neighbours}")
    count, dimensions = components.shape
    plane = np.zeros((count, 2), np.float32)
    plane[:, : min(2, dimensions)] = components[:, :2]
    chosen = METHODS[method]
    # Without dimensions all vectors are equal.
    if chosen.embed is None or count < FEWEST or not dimensions:
        return plane
    start = plane * (_SPREAD / np.abs(plane).max())
    with deterministic():
        places = chosen.embed(components, neighbours or chosen.neighbours or 0, seed, start)
    # UMAP gives NaN to a vector without neighbours; it is placed in the middle.
    return _rotated(np.where(np.isfinite(places), places, 0).astype(np.float32))


def _rotated(places: np.ndarray) -> np.ndarray:
    """Coordinates rotated about their mean to be wider than high, as screens are."""
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1]
    rotated: np.ndarray = centred @ (axes * np.where(np.diag(axes) < 0, -1, 1).astype(np.float32))
    return rotated


def _installed(method: str) -> bool:
    package = METHODS[method].package
    return package is None or importlib.util.find_spec(package) is not None
