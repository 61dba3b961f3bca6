"""Batches of one size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Default batch size; a gradient keeps all intermediate activations in memory.
BATCH_SIZE = 16


def batches(pixels: np.ndarray, size: int = BATCH_SIZE) -> Iterator[tuple[np.ndarray, int]]:
    """Batches of one size, the last one padded with its last image, and how many images of each count.

    A framework recompiles a function for each batch size.
    """
    size = min(size, len(pixels))
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        count = len(part)
        if count < size:
            part = np.concatenate([part, np.repeat(part[-1:], size - count, axis=0)])
        yield part, count
