"""Whether a map can be believed: how a class's probability falls and rises as an image goes and comes in its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import enlarged
from zoo.visualize.explain.masking import blurred
from zoo.visualize.network.subject import Subject

#: Points of a curve after its first one.
STEPS = 20
#: Squares along the shorter side, which go and come as wholes. Many small holes are noise to a network, and fool it
#: whatever they hide: with single pixels, a random order deletes as well as Grad-CAM does.
SQUARES = 8
#: How wide the Gaussian in the middle of an image is that maps are compared with, as a share of each side.
CENTRE = 1 / 4
#: Numbers along each side of a random map: as many as the last maps of most networks have places at 224 pixels.
PLACES = 7


@dataclass(frozen=True)
class Faithfulness:
    """Areas under two curves of a class's probability, each from 0 to 1."""

    #: As the most important pixels are taken out first. Less is better: the class needs what the map shows.
    deletion: float
    #: As the most important pixels are put in first. More is better: what the map shows is enough for the class.
    insertion: float


def measure(
    subject: Subject,
    pixels: np.ndarray,
    maps: np.ndarray,
    targets: np.ndarray,
    *,
    steps: int = STEPS,
) -> list[Faithfulness]:
    """Score maps by deletion and insertion (Petsiuk et al., "RISE", 2018, arXiv:1806.07421, section 4.2).

    Deletion begins with the image and paints it over in its mean colour, insertion begins with the image blurred
    and puts the sharp one in: square by square (:data:`SQUARES`), that with the highest mean of the map first, an equal
    share of all in each step, and equal ones by chance. The curves are cut into trapezoids. An image at a time is in
    memory with all its steps.

    Args:
        subject: the network.
        pixels: uint8 or float (n, height, width, channels) as the network takes them.
        maps: float (n, height, width), more where a pixel is more important.
        targets: int (n,), the class that each map is about.
        steps: points of each curve after its first one; the network runs twice as often for each image.

    Returns:
        One for each image.

    Raises:
        UsageError: ``steps`` is less than 1, or maps and images have different sizes.
    """
    if steps < 1:
        raise UsageError(f"A curve has at least 1 step. Received: {steps}")
    if maps.shape != pixels.shape[:3]:
        raise UsageError(f"A map has the size of its image. Received: {maps.shape} for {pixels.shape}")
    return [
        _areas(subject.predict(_frames(image, found, steps))[:, target])
        for image, found, target in zip(pixels, maps, np.asarray(targets), strict=True)
    ]


def random_map(height: int, width: int, seed: int, *, places: int | None = PLACES) -> np.ndarray:
    """A map that knows nothing, to compare with.

    Args:
        height: of the map.
        width: of the map.
        seed: the same number gives the same map.
        places: random numbers along each side, with smooth passages between them, as the maps of a layer have; ``None``
            for one a pixel, as gradients have.

    Returns:
        float32 (height, width), 0-1.
    """
    shape = (height, width) if places is None else (places, places)
    return enlarged(np.random.default_rng(seed).random(shape, "float32"), height, width)


def centred_gaussian(height: int, width: int) -> np.ndarray:
    """A map that knows only where photographers put things, to compare with.

    Returns:
        float32 (height, width), 1 in the middle and falling off by a Gaussian of :data:`CENTRE`.
    """
    rows, columns = (
        np.exp(-0.5 * (((np.arange(size) + 0.5) / size - 0.5) / CENTRE) ** 2).astype("float32")
        for size in (height, width)
    )
    return np.outer(rows, columns)


def _frames(image: np.ndarray, found: np.ndarray, steps: int) -> np.ndarray:
    """The image as it goes (``steps`` + 1 frames), then as it comes (``steps`` + 1 frames)."""
    rank = _ranks(found)
    gone = (rank < np.linspace(0, rank.max() + 1, steps + 1).round()[:, None, None])[..., None]
    mean = _as_kind(image.mean(axis=(0, 1), dtype="float64"), image.dtype)
    soft = _as_kind(blurred(image), image.dtype)
    return np.concatenate([np.where(gone, mean, image), np.where(gone, image, soft)])


def _ranks(found: np.ndarray) -> np.ndarray:
    """The place in the order of importance, from 0, of the square that each pixel is in: int (height, width)."""
    side = max(1, round(min(found.shape) / SQUARES))
    row, column = (np.arange(size) // side for size in found.shape)
    starts = [np.arange(0, size, side) for size in found.shape]
    total = np.add.reduceat(np.add.reduceat(found.astype("float64"), starts[0], axis=0), starts[1], axis=1)
    means = total / np.outer(np.bincount(row), np.bincount(column))
    # A map that is clipped is 0 in most places; taken in their order, they would favour the upper rows.
    chance = np.random.default_rng(0).permutation(means.size)
    rank = np.empty(means.size, "int32")
    rank[np.lexsort((chance, -means.ravel()))] = np.arange(means.size, dtype="int32")
    ordered: np.ndarray = rank.reshape(means.shape)[row][:, column]
    return ordered


def _areas(curves: np.ndarray) -> Faithfulness:
    """The areas under deletion and insertion, one after the other in ``curves``."""
    going, coming = curves.reshape(2, -1)
    deletion, insertion = (float(((curve[1:] + curve[:-1]) / 2).mean()) for curve in (going, coming))
    return Faithfulness(deletion, insertion)


def _as_kind(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Numbers in an image's own type."""
    return (np.rint(values) if np.issubdtype(kind, np.integer) else values).astype(kind)
