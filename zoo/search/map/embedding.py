"""From principal components to a place on a plane: UMAP, t-SNE, or the first two components as they are."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np

from zoo.core.errors import UnavailableError, UsageError

Method = Literal["umap", "tsne", "pca"]

#: What each method is called, and the package that it comes from.
TITLES: dict[str, str] = {"umap": "UMAP", "tsne": "t-SNE", "pca": "principal components"}
_PACKAGES = {"umap": "umap", "tsne": "sklearn", "pca": None}
_NAMES = {"umap": "umap-learn", "tsne": "scikit-learn"}

#: Fewer vectors than this have no neighbourhoods to be shown.
FEWEST = 10
#: What counts as a vector's neighbourhood where nobody says: UMAP's neighbours, t-SNE's perplexity.
NEIGHBOURS = {"umap": 15, "tsne": 30}
#: More vectors than this take t-SNE too long to be chosen by itself.
MOST_FOR_TSNE = 20_000
#: How far the first places lie from the middle, as UMAP's authors have it.
_SPREAD = 10.0


def choose(request: str, count: int) -> tuple[Method, str]:
    """The method that draws the map, and why.

    Args:
        request: ``"auto"`` or a method.
        count: how many vectors there are.

    Raises:
        UsageError: no such method.
        UnavailableError: the package of the method asked for is not installed.
    """
    if request not in ("auto", *get_args(Method)):
        raise UsageError(f"--method takes auto, {', '.join(get_args(Method))}. Received: {request}")
    if request == "pca":
        return "pca", "as asked"
    if request != "auto" and not _installed(request):
        raise UnavailableError(
            f"--method {request} needs {_NAMES[request]}, which is not installed; pip install 'keras-zoo[map]' adds it."
        )
    if count < FEWEST:
        return "pca", f"there are fewer than {FEWEST} vectors"
    if request in get_args(Method):
        return ("umap" if request == "umap" else "tsne"), "as asked"
    if _installed("umap"):
        return "umap", "umap-learn is installed"
    if _installed("tsne") and count <= MOST_FOR_TSNE:
        return "tsne", "scikit-learn is installed and umap-learn is not"
    return "pca", "umap-learn is not installed; pip install 'keras-zoo[map]' adds it"


def embed(components: np.ndarray, method: Method, *, neighbours: int | None = None, seed: int = 0) -> np.ndarray:
    """Places on a plane, the same ones whenever it is called with the same arguments.

    Args:
        components: float32 (n, k), principal components by falling variance; k may be 0.
        method: UMAP (McInnes, Healy and Melville, 2018), t-SNE (van der Maaten and Hinton, 2008) or the first two
            components. UMAP and t-SNE begin at the latter, which keeps what is far apart far apart.
        neighbours: how many neighbours UMAP looks at, or the perplexity of t-SNE; fewer where there are fewer vectors.
        seed: of what they draw.

    Returns:
        float32 (n, 2), finite.

    Raises:
        UsageError: fewer than 2 neighbours.
    """
    if neighbours is not None and neighbours < 2:
        raise UsageError(f"--neighbours is at least 2. Received: {neighbours}")
    count, dimensions = components.shape
    plane = np.zeros((count, 2), np.float32)
    plane[:, : min(2, dimensions)] = components[:, :2]
    # Vectors that are all equal have one place, whatever the method.
    if method == "pca" or count < FEWEST or not dimensions:
        return plane
    start = plane * (_SPREAD / np.abs(plane).max())
    with alone():
        places = (_umap if method == "umap" else _tsne)(components, neighbours or NEIGHBOURS[method], seed, start)
    # A vector without neighbours, which UMAP puts nowhere, stands in the middle.
    return _turned(np.where(np.isfinite(places), places, 0).astype(np.float32))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Compute in one thread, and keep the packages' advice to those who program with them from the terminal.

    Several threads add up in an order of their own, so that the last digits, and then everything, would differ from run
    to run.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


def _umap(components: np.ndarray, neighbours: int, seed: int, start: np.ndarray) -> np.ndarray:
    mapper = _umap_class()(n_neighbors=min(neighbours, len(components) - 1), init=start, random_state=seed)
    places: np.ndarray = mapper.fit_transform(components)
    return places


def _umap_class() -> Any:
    variant = "umap.parametric_umap"
    with contextlib.ExitStack() as stack:
        if variant not in sys.modules:
            # Its package imports TensorFlow, if it can, for a variant that nobody asks for here.
            sys.modules[variant] = None  # type: ignore[assignment]
            stack.callback(sys.modules.pop, variant, None)
        from umap import UMAP
    return UMAP


def _tsne(components: np.ndarray, perplexity: int, seed: int, start: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE

    # A perplexity is about a third of the neighbours that matter. It wants to begin small (Kobak and Berens, 2019).
    perplexity = max(1, min(perplexity, (len(components) - 1) // 3))
    small = start * (1e-4 / max(float(start[:, 0].std()), 1e-12))
    places: np.ndarray = TSNE(perplexity=perplexity, init=small, random_state=seed).fit_transform(components)
    return places


def _turned(places: np.ndarray) -> np.ndarray:
    """The places about their middle, turned so that they are wider than high, as screens are."""
    centred = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1]
    turned: np.ndarray = centred @ (axes * np.where(np.diag(axes) < 0, -1, 1).astype(np.float32))
    return turned


def _installed(method: str) -> bool:
    package = _PACKAGES[method]
    return package is None or importlib.util.find_spec(package) is not None
