"""What an engine is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec


class Engine(Protocol):
    """Runs one network on one device."""

    #: ``"keras"`` or ``"openvino"``.
    name: str
    #: The device that runs, e.g. ``"cpu"`` or ``"gpu:0"``.
    device: str
    #: Whether it was started for one image, and would be slow on many.
    single: bool

    @property
    def batch_size(self) -> int:
        """Images in one batch."""
        ...

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the network's output for each batch, in order.

        Args:
            batches: uint8 arrays (n, height, width, 3), raw RGB, ``1 <= n <= batch_size``. The next batch is
                asked for while earlier ones are still being computed.

        Yields:
            float32 arrays whose first axis is ``n``; for a network with several outputs, see :class:`zoo.core.spec.Cut`,
            structured arrays (n,) with a float32 field for each.
        """
        ...


def together(outputs: Sequence[np.ndarray], spec: ModelSpec) -> np.ndarray:
    """The outputs of a network for one batch as an engine yields them.

    Args:
        outputs: (n, …) each, in the network's order.
        spec: the network; its cut names them.

    Returns:
        An array of its own memory: float32 (n, …) for a single output, else structured (n,).
    """
    if spec.cut is None or len(spec.cut.fields) == 1:
        return np.array(outputs[0], "float32")
    kinds = [(name, "float32", output.shape[1:]) for name, output in zip(spec.cut.fields, outputs, strict=True)]
    rows = np.empty(len(outputs[0]), kinds)
    for name, output in zip(spec.cut.fields, outputs, strict=True):
        rows[name] = output
    return rows
