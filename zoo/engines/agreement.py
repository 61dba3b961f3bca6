"""How closely two forms of a network, such as int8 and float32, agree on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Agreement:
    """How closely a quantised network agrees with its float32 form on images that did not calibrate it.

    ``cosine`` is the mean over the images of the cosine similarity of their features, from -1 to 1, and ``least`` that
    of the worst image; of several layers, those of the layer that agrees least. ``top1`` is the share of images that
    both assign to the same class, ``None`` for a network without classes. ``calibrated`` and ``checked`` count images.
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
            f"mean cosine similarity {self.cosine:.4f} (worst image {self.least:.3f}){classes}, on {self.checked} "
            f"images other than the {self.calibrated} for calibration"
        )


def compare(reference: np.ndarray, other: np.ndarray, *, calibrated: int) -> Agreement:
    """The agreement of two engines' outputs for the same images: (n, …), or structured (n,) with a field a layer."""
    names = reference.dtype.names or ()
    layers = [name for name in names if name != "probabilities"]
    pairs = [(reference[name], other[name]) for name in layers] or [(reference, other)]
    least = min((cosine(one, two) for one, two in pairs), key=lambda values: float(values.mean()))
    top1 = None
    if "probabilities" in names:
        same = reference["probabilities"].argmax(axis=-1) == other["probabilities"].argmax(axis=-1)
        top1 = float(same.mean())
    return Agreement(calibrated, len(reference), float(least.mean()), float(least.min()), top1)


def cosine(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """The cosine similarity of each row of two arrays (n, …): float64 (n,), from -1 to 1.

    It is 1 for two rows of zeros, and 0 for one of them and for numbers that are not finite.
    """
    first, second = (array.reshape(len(array), -1).astype("float64") for array in (one, two))
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        products = np.einsum("ij,ij->i", first, second)
        values = np.divide(products, lengths, out=np.zeros(len(first)), where=lengths > 0)
    values[~first.any(axis=1) & ~second.any(axis=1)] = 1.0
    values[~np.isfinite(values)] = 0.0
    return np.asarray(np.clip(values, -1.0, 1.0))
