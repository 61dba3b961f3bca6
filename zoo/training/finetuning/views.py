"""Views of an image: the unchanged image, and a few fixed augmentations of it to train on."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from zoo.core.spec import Resize
from zoo.data.augment.config import Augment
from zoo.data.augment.pipeline import augment_batch
from zoo.data.loading.loader import stored_size
from zoo.images.decode import load
from zoo.images.source import Source

_VIEWS = 3  #: A random stream of its own.


@dataclass(frozen=True)
class Views:
    """A number of views of each image: the first unchanged, the others flipped in turn, so that no two are alike."""

    count: int = 1
    augment: Augment | None = None
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Everything that decides the views, as plain values."""
        augment = asdict(self.augment) if self.augment is not None and self.count > 1 else None
        return {"count": self.count, "augment": augment, "seed": self.seed if augment else None}

    def read(self, source: Source, resize: Resize) -> np.ndarray:
        """The views of a source: uint8 (``count``, height, width, 3); for :func:`zoo.inference.pipeline.run`."""
        plain = load(source, resize)
        if self.count == 1 or self.augment is None:
            return np.stack([plain] * self.count)
        size = stored_size(resize, self.augment)
        larger = plain if size == resize else load(source, size)
        rng = np.random.default_rng([_VIEWS, self.seed % 2**64, zlib.crc32(source.path.encode("utf-8", "replace"))])
        return np.stack([plain, *(self._view(larger, number, resize, rng) for number in range(1, self.count))])

    def _view(self, image: np.ndarray, number: int, resize: Resize, rng: np.random.Generator) -> np.ndarray:
        assert self.augment is not None
        # Mixing, if any, is done on batches.
        change = replace(self.augment, flip="none", mixup=0.0, cutmix=0.0)
        across, down = _mirrored(number, self.augment.flip)
        image = image[:: -1 if down else 1, :: -1 if across else 1]
        size = resize.height, resize.width
        batch, _ = augment_batch(np.ascontiguousarray(image)[None], np.ones((1, 1), np.float32), change, rng, size)
        return np.asarray(batch[0])


def _mirrored(number: int, flip: str) -> tuple[bool, bool]:
    """Whether a view is flipped horizontally, and vertically."""
    if flip == "both":
        return bool(number & 1), bool(number & 2)
    odd = bool(number % 2)
    return odd and flip == "horizontal", odd and flip == "vertical"
