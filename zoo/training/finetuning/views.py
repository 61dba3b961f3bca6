"""Views of an image: the image as it is judged, and a few fixed changes of it to learn from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.core.spec import Resize
from zoo.data.augment.augment import Augment
from zoo.data.loading.loader import stored_size
from zoo.images.decode import load
from zoo.images.sources import Source

#: A random stream of its own.
_VIEWS = 3


@dataclass(frozen=True)
class Views:
    """So many views of each image; the first one is unchanged.

    Mirroring is not left to chance: of two views one is mirrored, and of four every way that the augmentation allows is
    there, so that none of them is computed twice.
    """

    count: int = 1
    augment: Augment | None = None
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Everything that decides what the views are, as plain values."""
        changes = self.augment.describe() if self.augment is not None and self.count > 1 else "none"
        return {"count": self.count, "augment": changes, "seed": self.seed if changes != "none" else None}

    def read(self, source: Source, resize: Resize) -> np.ndarray:
        """The views of a source: uint8 (``count``, height, width, 3); for :func:`zoo.inference.pipeline.run`.

        Raises:
            ImageError: it cannot be read.
        """
        plain = load(source, resize)
        if self.count == 1 or self.augment is None:
            return np.stack([plain] * self.count)
        size = stored_size(resize, self.augment)
        larger = plain if size == resize else load(source, size)
        rng = np.random.default_rng([_VIEWS, self.seed % 2**64, zlib.crc32(source.path.encode("utf-8", "replace"))])
        return np.stack([plain, *(self._view(larger, number, resize, rng) for number in range(1, self.count))])

    def _view(self, image: np.ndarray, number: int, resize: Resize, rng: np.random.Generator) -> np.ndarray:
        assert self.augment is not None
        # Images are mixed, if at all, where they are put into batches.
        change = replace(self.augment, flip="none", mixup=0.0, cutmix=0.0)
        across, down = _mirrored(number, self.augment.flip)
        image = image[:: -1 if down else 1, :: -1 if across else 1]
        size = resize.height, resize.width
        batch, _ = change(np.ascontiguousarray(image)[None], np.ones((1, 1), np.float32), rng, size)
        view: np.ndarray = batch[0]
        return view


def _mirrored(number: int, flip: str) -> tuple[bool, bool]:
    """Whether a view is mirrored left and right, and top and bottom."""
    if flip == "both":
        return bool(number & 1), bool(number & 2)
    odd = bool(number % 2)
    return odd and flip == "horizontal", odd and flip == "vertical"
