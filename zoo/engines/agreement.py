"""How far two forms of a network agree about the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near a network in int8 stays to itself in float32, on images that did not calibrate it.

    ``cosine`` is the mean over the images of the cosine similarity of their features, from -1 to 1, and
    ``least`` that of the worst image; of several layers, those of the layer that agrees least. ``top1`` is the share
    of images that both put into the same class, ``None`` for a network without classes.
    """

    calibrated: int
    checked: int
    cosine: float
    least: float
    top1: float | None

    def describe(self) -> str:
        """The figures in a few words."""
        classes = "" if self.top1 is None else f", the same class for {self.top1:.1%}"
        return (
            f"mean cosine similarity {self.cosine:.4f} (the worst image {self.least:.3f}){classes}, on "
            f"{self.checked} images beside the {self.calibrated} that calibrated it"
        )


def compare(reference: np.ndarray, other: np.ndarray, *, calibrated: int) -> Agreement:
    """The agreement of what two forms of a network gave for the same images.

    Args:
        reference: as an engine yields it: float32 (n, …), or structured (n,) with a field for each layer and perhaps
            ``probabilities``.
        other: the same of the other form.
        calibrated: images that calibrated it.
    """
    layers = [name for name in reference.dtype.names or () if name != "probabilities"]
    pairs = [(reference[name], other[name]) for name in layers] or [(reference, other)]
    cosines = [cosine(one, two) for one, two in pairs]
    least = min(cosines, key=lambda values: float(values.mean()))
    top1 = None
    if "probabilities" in (reference.dtype.names or ()):
        same = reference["probabilities"].argmax(axis=-1) == other["probabilities"].argmax(axis=-1)
        top1 = float(same.mean())
    return Agreement(calibrated, len(reference), float(least.mean()), float(least.min()), top1)


def cosine(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """The cosine similarity of rows, -1 to 1.

    Args:
        one: (n, …).
        two: (n, …).

    Returns:
        float64 (n,). Two rows of zeros are alike, and one of them is like nothing else. What is not finite is like
        nothing.
    """
    first, second = (array.reshape(len(array), -1).astype("float64") for array in (one, two))
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        products = np.einsum("ij,ij->i", first, second)
        values = np.divide(products, lengths, out=np.zeros(len(first)), where=lengths > 0)
    values[~first.any(axis=1) & ~second.any(axis=1)] = 1.0
    values[~np.isfinite(values)] = 0.0
    return np.asarray(np.clip(values, -1.0, 1.0))
