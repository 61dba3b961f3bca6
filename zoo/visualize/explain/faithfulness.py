"""Faithfulness of a map: the class's probability as the most important pixels are deleted, and inserted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.masking import blurred, resize_map
from zoo.visualize.network.inspected_model import InspectedModel

#: Steps of a curve.
STEPS = 20
#: Squares along the shorter side, deleted and inserted as wholes. Many small holes are adversarial noise: pixel by
#: pixel, a random order deletes as well as Grad-CAM does.
SQUARES = 8
#: Standard deviation of the centred Gaussian baseline, as a share of each side.
CENTRE = 1 / 4
#: Random numbers along each side of the random baseline: the size of most models' last feature map.
PLACES = 7


@dataclass(frozen=True)
class Faithfulness:
    """Areas under two curves of a class's probability, each 0-1."""

    #: The most important pixels are deleted first. Lower is better: the class needs what the map shows.
    deletion: float
    #: The most important pixels are inserted first. Higher is better: what the map shows suffices for the class.
    insertion: float


def measure(
    net: InspectedModel, pixels: np.ndarray, maps: np.ndarray, targets: np.ndarray, *, steps: int = STEPS
) -> list[Faithfulness]:
    """Score maps by deletion and insertion (Petsiuk et al., "RISE", 2018, arXiv:1806.07421, section 4.2).

    Deletion replaces squares of the image (:data:`SQUARES`) by its mean colour, insertion restores them in the blurred
    image, in descending order of the map's mean; ties are broken at random. Areas are by the trapezoidal rule. One
    image at a time is in memory with all its steps.

    Args:
        net: the model.
        pixels: uint8 or float (n, height, width, channels), the model's input.
        maps: float (n, height, width), higher where more important.
        targets: int (n,), the class of each map.
        steps: of each curve; the model runs ``2 * (steps + 1)`` times for each image.

    Raises:
        UsageError: ``steps`` is less than 1, or maps and images differ in size.
    """
    if steps < 1:
        raise UsageError(f"A curve has at least 1 step. Received: {steps}")
    if maps.shape != pixels.shape[:3]:
        raise UsageError(f"A map has the size of its image. Received: {maps.shape} for {pixels.shape}")
    return [
        _areas(net.predict(_frames(image, found, steps))[:, target])
        for image, found, target in zip(pixels, maps, np.asarray(targets), strict=True)
    ]


def random_map(height: int, width: int, seed: int, *, places: int | None = PLACES) -> np.ndarray:
    """The random baseline: float32 (height, width), 0-1, with ``places`` numbers along each side, or one per pixel."""
    shape = (height, width) if places is None else (places, places)
    return resize_map(np.random.default_rng(seed).random(shape, "float32"), height, width)


def centred_gaussian(height: int, width: int) -> np.ndarray:
    """The centre-prior baseline: float32 (height, width), a Gaussian (:data:`CENTRE`) that is 1 in the middle."""
    rows, columns = (
        np.exp(-0.5 * (((np.arange(size) + 0.5) / size - 0.5) / CENTRE) ** 2).astype("float32")
        for size in (height, width)
    )
    return np.outer(rows, columns)


def _frames(image: np.ndarray, found: np.ndarray, steps: int) -> np.ndarray:
    """``steps`` + 1 images of deletion, then as many of insertion."""
    rank = _ranks(found)
    gone = (rank < np.linspace(0, rank.max() + 1, steps + 1).round()[:, None, None])[..., None]
    mean = _as_type(image.mean(axis=(0, 1), dtype="float64"), image.dtype)
    soft = _as_type(blurred(image), image.dtype)
    return np.concatenate([np.where(gone, mean, image), np.where(gone, image, soft)])


def _ranks(found: np.ndarray) -> np.ndarray:
    """For each pixel the rank, from 0, of its square by importance: int32 (height, width)."""
    side = max(1, round(min(found.shape) / SQUARES))
    row, column = (np.arange(size) // side for size in found.shape)
    starts = [np.arange(0, size, side) for size in found.shape]
    total = np.add.reduceat(np.add.reduceat(found.astype("float64"), starts[0], axis=0), starts[1], axis=1)
    means = total / np.outer(np.bincount(row), np.bincount(column))
    # A clipped map is 0 in most places; in their own order, ties would favour the upper rows.
    chance = np.random.default_rng(0).permutation(means.size)
    rank = np.empty(means.size, "int32")
    rank[np.lexsort((chance, -means.ravel()))] = np.arange(means.size, dtype="int32")
    ordered: np.ndarray = rank.reshape(means.shape)[row][:, column]
    return ordered


def _areas(curves: np.ndarray) -> Faithfulness:
    """The areas under the two curves, which follow one another in ``curves``."""
    deletion, insertion = (float(((curve[1:] + curve[:-1]) / 2).mean()) for curve in curves.reshape(2, -1))
    return Faithfulness(deletion, insertion)


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return (np.rint(values) if np.issubdtype(dtype, np.integer) else values).astype(dtype)
