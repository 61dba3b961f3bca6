"""What an engine is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np


class Engine(Protocol):
    """Runs one network on one device."""

    #: ``"keras"`` or ``"openvino"``.
    name: str
    #: The device that runs, e.g. ``"cpu"`` or ``"gpu:0"``.
    device: str
    #: Whether it was started for one picture, and would be slow on many.
    single: bool

    @property
    def batch_size(self) -> int:
        """Pictures in one batch."""
        ...

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the network's output for each batch, in order.

        Args:
            batches: uint8 arrays (n, height, width, 3), raw RGB, ``1 <= n <= batch_size``. The next batch is
                asked for while earlier ones are still being computed.

        Yields:
            float32 arrays whose first axis is ``n``.
        """
        ...
