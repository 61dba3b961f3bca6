"""Test-time augmentation: a network's mean output over several views of each image."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from zoo.core.spec import Resize
from zoo.engines.base import Engine

#: Augmentations of an evaluation; ten-crop is the test of ten views of Krizhevsky, Sutskever and Hinton, "ImageNet
#: classification with deep convolutional neural networks", 2012.
Augmentation = Literal["mirror", "ten-crop"]
AUGMENTATIONS: tuple[Augmentation, ...] = ("mirror", "ten-crop")

#: Side of a crop as a share of the image's, where the network's own resize policy cuts nothing away.
SHARE = 0.875

Views = Callable[[np.ndarray], Iterator[np.ndarray]]


def flipped(batch: np.ndarray) -> Iterator[np.ndarray]:
    """A batch (n, height, width, 3) and its mirror image."""
    yield batch
    yield batch[:, :, ::-1]


def five_crops(resize: Resize, batch: np.ndarray) -> Iterator[np.ndarray]:
    """The four corners and the centre of a batch, each of the size of ``resize``."""
    height, width = resize.height, resize.width
    down, across = batch.shape[1] - height, batch.shape[2] - width
    for top, left in ((0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)):
        yield batch[:, top : top + height, left : left + width]


def with_margin(resize: Resize) -> Resize:
    """How images are read for :func:`five_crops`: including what a central crop would cut away."""
    share = resize.fraction if resize.policy == "crop" and resize.fraction < 1 else SHARE
    return replace(resize, height=round(resize.height / share), width=round(resize.width / share), fraction=1.0)


class Augmented:
    """An engine that averages another engine's output over views of each image.

    Mirroring gains a small network a point of accuracy (CIFAR-10's ResNet-9: from 89.3 to 90.4 %) for twice the work.
    """

    def __init__(self, engine: Engine, views: Views, count: int) -> None:
        """Wrap ``engine``; ``views`` makes ``count`` batches of one."""
        self._engine, self._views, self._count = engine, views, count
        self.name, self.device, self.single = engine.name, engine.device, engine.single

    @property
    def batch_size(self) -> int:
        """Images in one batch of the engine within."""
        return self._engine.batch_size

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the mean output over the views of each batch, in order; features beside it are those of the image."""
        views = (np.ascontiguousarray(view) for batch in batches for view in self._views(batch))
        outputs = self._engine.run(views)
        for output in outputs:
            others = list(itertools.islice(outputs, self._count - 1))
            if output.dtype.names is None:
                yield sum(others, output) / self._count
            else:
                name = "probabilities"
                output[name] = sum((other[name] for other in others), output[name]) / self._count
                yield output


def augment(engine: Engine, resize: Resize, augmentation: Augmentation, *, mirrored: bool) -> tuple[Engine, Resize]:
    """An engine with an augmentation, and how images are read for it."""
    if not mirrored:
        engine = Augmented(engine, flipped, 2)
    if augmentation == "ten-crop":
        return Augmented(engine, partial(five_crops, resize), 5), with_margin(resize)
    return engine, resize
