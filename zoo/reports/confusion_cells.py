"""What the cells of a confusion matrix show, drawn as PNG and in HTML."""

from __future__ import annotations

from typing import Any

import numpy as np


def class_shares(matrix: np.ndarray) -> np.ndarray:
    """Each count as a share of the images of its true class: float (c, c), 0 if the class has none.

    Args:
        matrix: counts (c, c), true classes in rows.
    """
    sums = matrix.sum(axis=1, keepdims=True)
    shares: np.ndarray = matrix / np.where(sums, sums, 1)
    return shares


def strength(shares: Any) -> Any:
    """How strong a cell's colour is, 0-1: the root of its share, so that rare mistakes are visible."""
    return np.sqrt(shares)
