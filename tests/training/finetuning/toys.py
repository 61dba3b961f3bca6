"""Images whose class is their colour, and a small trained network to begin with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

#: A trained network that comes with zoo.
NETWORK = "cifar10-resnet9"
COLOURS = {"blue": (60, 80, 200), "green": (60, 180, 70), "red": (200, 70, 60)}


def paint(folder: Path, count: int = 20, *, random_labels: bool = False, seed: int = 0, size: int = 32) -> Path:
    """A folder of class folders; with ``random_labels`` an image's colour says nothing of its class."""
    rng = np.random.default_rng(seed)
    colours = list(COLOURS.values())
    for label, name in enumerate(COLOURS):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            colour = colours[rng.integers(3) if random_labels else label]
            pixels = rng.normal(colour, 45, (size, size, 3)).clip(0, 255).astype("uint8")
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder
