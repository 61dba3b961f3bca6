"""An engine that looks at five parts of each image, its corners and its middle, and gives the mean of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from zoo.core.spec import Resize
from zoo.engines.base import Engine

#: Side of a part, as a share of the image's, where the network's own resize policy leaves nothing at the edges.
SHARE = 0.875
VIEWS = 5


class Cropped:
    """Another engine on five parts; see :class:`zoo.engines.base.Engine`.

    With :class:`~zoo.engines.mirrored.Mirrored` within it is the test of ten views of Krizhevsky, Sutskever and Hinton,
    "ImageNet classification with deep convolutional neural networks", 2012. Images come as :func:`larger` says.
    """

    def __init__(self, engine: Engine, resize: Resize) -> None:
        """Take over ``engine``, which takes images of the size of ``resize``."""
        self._engine = engine
        self._size = resize.height, resize.width
        self.name, self.device, self.single = engine.name, engine.device, engine.single

    @property
    def batch_size(self) -> int:
        """Images in one batch of the engine within."""
        return self._engine.batch_size

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the mean output of the five parts of each batch, in order."""
        views = (np.ascontiguousarray(view) for batch in batches for view in self._parts(batch))
        outputs = self._engine.run(views)
        for output in outputs:
            total = output
            for _ in range(VIEWS - 1):
                total = total + next(outputs)
            yield total / VIEWS

    def _parts(self, batch: np.ndarray) -> Iterator[np.ndarray]:
        height, width = self._size
        down, across = batch.shape[1] - height, batch.shape[2] - width
        for top, left in ((0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)):
            yield batch[:, top : top + height, left : left + width]


def larger(resize: Resize) -> Resize:
    """How images are read for :class:`Cropped`: with what a central crop would have cut away."""
    share = resize.fraction if resize.policy == "crop" and resize.fraction < 1 else SHARE
    return replace(resize, height=round(resize.height / share), width=round(resize.width / share), fraction=1.0)
