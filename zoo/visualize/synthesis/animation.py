"""Intermediate images as an animated GIF."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image

from zoo.reports.plots.canvas import write_bytes
from zoo.visualize.network.display import resize_to_side

#: Frames, maximum number of images, and maximum width and height in pixels.
FRAMES, LIMIT, SIDE = 24, 64, 1024
#: Milliseconds of a frame, and of the last one.
_FRAME, _LAST = 120, 2000
_GAP = 2


class Animation:
    """A grid of animated images; each is reduced as it is added."""

    def __init__(self, count: int) -> None:
        """Prepare for ``count`` images, of which the first :data:`LIMIT` are shown."""
        self.count = min(count, LIMIT)
        self._columns = math.ceil(math.sqrt(self.count))
        self._images: list[list[np.ndarray]] = []

    def add(self, frames: np.ndarray) -> None:
        """Add an image: uint8 (frames, size, size, 3), as many frames as the others."""
        if len(self._images) < self.count:
            side = min(frames.shape[1], SIDE // self._columns - _GAP)
            self._images.append([resize_to_side(frame, side) for frame in frames])

    def write(self, path: Path) -> None:
        """Write the file atomically.

        Raises:
            UnavailableError: it cannot be written.
        """
        pages = [Image.fromarray(self._page(number)) for number in range(len(self._images[0]))]
        data = io.BytesIO()
        durations = [_FRAME] * (len(pages) - 1) + [_LAST]
        pages[0].save(data, "GIF", save_all=True, append_images=pages[1:], duration=durations, loop=0)
        write_bytes(data.getbuffer(), path, "The animation")

    def _page(self, number: int) -> np.ndarray:
        """A frame of all images, on white."""
        side = self._images[0][0].shape[0] + _GAP
        rows = math.ceil(len(self._images) / self._columns)
        page = np.full((rows * side - _GAP, self._columns * side - _GAP, 3), 255, np.uint8)
        for place, image in enumerate(self._images):
            top, left = side * (place // self._columns), side * (place % self._columns)
            page[top : top + side - _GAP, left : left + side - _GAP] = image[number]
        return page
