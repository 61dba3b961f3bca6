"""Batches of what a frozen trunk made of the images, in place of the images."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from zoo.data.augment import mixing
from zoo.data.loading.loader import one_hot
from zoo.data.split import Split
from zoo.training.finetuning.trunk import Outputs

#: Random streams of their own.
_ORDER, _VIEW, _MIX = 4, 5, 6


class CachedBatches:
    """Outputs of one split as batches; see :class:`zoo.training.epochs.Batches`.

    Where it shuffles, each epoch takes one view of each image at random; otherwise it takes the first, which is the
    image as it is. A batch depends on the seed, the number of the epoch and that of the step alone.
    """

    def __init__(
        self,
        outputs: Outputs,
        split: Split,
        *,
        classes: int,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        mixup: float = 0.0,
        targets: np.ndarray | None = None,
    ) -> None:
        """Nothing is read yet.

        Args:
            outputs: of the trunk, for ``split``.
            split: images and labels.
            classes: columns of the labels.
            batch_size: images in a batch.
            shuffle: a new order in every epoch, and a random view.
            seed: of both.
            mixup: alpha of the Beta distribution by which outputs and labels are mixed in pairs; 0 for not at all.
            targets: what stands for each image of ``split``, float32 (n, columns); a 1 for its class without.
        """
        self.outputs, self.split = outputs, split
        self.batch_size, self.shuffle, self.seed, self.mixup = batch_size, shuffle, seed, mixup
        self._targets = one_hot(split.labels, classes) if targets is None else targets

    @property
    def steps(self) -> int:
        """Batches an epoch. Training leaves out the last one where it is smaller than the others."""
        count = len(self.outputs.kept) / self.batch_size
        return math.floor(count) if self.shuffle and count > 1 else math.ceil(count)

    @property
    def labels(self) -> np.ndarray:
        """Classes of the images that take part, in their order: int64 (n,)."""
        labels: np.ndarray = self.split.labels[self.outputs.kept]
        return labels

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Files that could not be read, each with the reason."""
        return [(self.split.sources[index].path, why) for index, why in sorted(self.outputs.failed.items())]

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches of one epoch, from step ``start`` on.

        Yields:
            float32 (b, …), what the trunk made of the images, and float32 (b, columns), the labels.
        """
        order, views = self.outputs.kept, np.zeros(len(self.split), np.int64)
        if self.shuffle:
            order = np.random.default_rng(self._entropy(_ORDER, number)).permutation(order)
            views = np.random.default_rng(self._entropy(_VIEW, number)).integers(
                self.outputs.values.shape[1], size=len(self.split)
            )
        for step in range(start, self.steps):
            indices = order[step * self.batch_size : (step + 1) * self.batch_size]
            x = np.asarray(self.outputs.values[indices, views[indices]], np.float32)
            y = self._targets[indices]
            if self.mixup and self.shuffle:
                rng = np.random.default_rng(self._entropy(_MIX, number, step))
                x, y = mixing.mix_values(x, y, self.mixup, rng)
            yield x, y

    def _entropy(self, stream: int, number: int, step: int = 0) -> list[int]:
        return [stream, self.seed % 2**64, number, step]
