"""Batches of a frozen trunk's outputs, in place of images."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from zoo.data.augment import mixing
from zoo.data.loading.loader import one_hot
from zoo.data.split import Split
from zoo.training.finetuning.trunk import TrunkOutputs

_ORDER, _VIEW, _MIX = 4, 5, 6  #: Random streams of their own.


class CachedFeatures:
    """Outputs of one split as batches, each of which depends only on the seed and the numbers of epoch and step.

    With ``shuffle`` each epoch takes a random view of each image, otherwise the first, which is the unchanged image.
    """

    def __init__(
        self,
        outputs: TrunkOutputs,
        split: Split,
        *,
        classes: int,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        mixup: float = 0.0,
        targets: np.ndarray | None = None,
    ) -> None:
        """``mixup`` is alpha of a Beta distribution; ``targets`` are labels, float32 (n, columns), default one-hot."""
        self.outputs, self.split = outputs, split
        self.batch_size, self.shuffle, self.seed, self.mixup = batch_size, shuffle, seed, mixup
        self._targets = one_hot(split.labels, classes) if targets is None else targets

    @property
    def steps(self) -> int:
        """Batches an epoch. With ``shuffle`` a last batch that is smaller than the others is left out."""
        count = len(self.outputs.kept) / self.batch_size
        return math.floor(count) if self.shuffle and count > 1 else math.ceil(count)

    @property
    def labels(self) -> np.ndarray:
        """Classes of the images that take part, in order: int64 (n,)."""
        return np.asarray(self.split.labels[self.outputs.kept])

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Files that could not be read, each with the reason."""
        return [(self.split.sources[index].path, why) for index, why in sorted(self.outputs.failed.items())]

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The trunk's outputs, float32 (b, …), and labels, float32 (b, columns), from step ``start`` on."""
        order, views = self.outputs.kept, np.zeros(len(self.split), np.int64)
        if self.shuffle:
            order = self._rng(_ORDER, number).permutation(order)
            views = self._rng(_VIEW, number).integers(self.outputs.values.shape[1], size=len(self.split))
        for step in range(start, self.steps):
            indices = order[step * self.batch_size : (step + 1) * self.batch_size]
            x = np.asarray(self.outputs.values[indices, views[indices]], np.float32)
            y = self._targets[indices]
            if self.mixup and self.shuffle:
                x, y = mixing.mix_values(x, y, self.mixup, self._rng(_MIX, number, step))
            yield x, y

    def _rng(self, stream: int, number: int, step: int = 0) -> np.random.Generator:
        return np.random.default_rng([stream, self.seed % 2**64, number, step])
