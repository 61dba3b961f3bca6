"""RandAugment: a few operations of a fixed list, each at the same strength. Cubuk et al., 2019."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from zoo.data.augment.config import Augment
from zoo.data.augment.kinds import STRONGEST

#: (image, strength from 0 to 1, sign, fill) → image.
Operation = Callable[[Image.Image, float, int, int], Image.Image]


def apply(batch: np.ndarray, augment: Augment, rng: np.random.Generator) -> np.ndarray:
    """Change each image, uint8 (b, h, w[, 3]), by operations chosen at random, one after the other."""
    if augment.rand_augment is None:
        return batch
    operations, magnitude = augment.rand_augment
    result = np.empty_like(batch)
    chosen = rng.integers(0, len(OPERATIONS), (len(batch), operations)).tolist()
    signs = rng.choice([-1, 1], (len(batch), operations)).tolist()
    functions = list(OPERATIONS.values())
    for number, image in enumerate(batch):
        img = Image.fromarray(image)
        for choice, sign in zip(chosen[number], signs[number], strict=True):
            img = functions[choice](img, magnitude / STRONGEST, sign, augment.fill_value)
        result[number] = np.asarray(img)
    return result


def _enhance(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    """Towards the grey, black or blurred image, or away from it, by up to 0.9."""
    return lambda img, strength, sign, _: kind(img).enhance(1 + sign * 0.9 * strength)


def _affine(img: Image.Image, data: tuple[float, ...], fill: int) -> Image.Image:
    colour = fill if img.mode == "L" else (fill, fill, fill)
    return img.transform(img.size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR, fillcolor=colour)


def _rotate(img: Image.Image, strength: float, sign: int, fill: int) -> Image.Image:
    """By up to 30 degrees."""
    colour = fill if img.mode == "L" else (fill, fill, fill)
    return img.rotate(sign * 30 * strength, Image.Resampling.BILINEAR, fillcolor=colour)


def _posterize(img: Image.Image, strength: float, *_: int) -> Image.Image:
    """Down to 4 bits a channel."""
    return ImageOps.posterize(img, 8 - round(4 * strength))


def _solarize(img: Image.Image, strength: float, *_: int) -> Image.Image:
    """Invert what is lighter than a threshold that comes down from 256."""
    return ImageOps.solarize(img, round(256 * (1 - strength)))


#: The paper's fourteen, with its ranges.
OPERATIONS: dict[str, Operation] = {
    "identity": lambda img, *_: img,
    "autocontrast": lambda img, *_: ImageOps.autocontrast(img),
    "equalize": lambda img, *_: ImageOps.equalize(img),
    "rotate": _rotate,
    "solarize": _solarize,
    "color": _enhance(ImageEnhance.Color),
    "posterize": _posterize,
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
    "shear-x": lambda img, strength, sign, fill: _affine(img, (1, sign * 0.3 * strength, 0, 0, 1, 0), fill),
    "shear-y": lambda img, strength, sign, fill: _affine(img, (1, 0, 0, sign * 0.3 * strength, 1, 0), fill),
    "translate-x": lambda img, strength, sign, fill: _affine(
        img, (1, 0, sign * 0.33 * strength * img.width, 0, 1, 0), fill
    ),
    "translate-y": lambda img, strength, sign, fill: _affine(
        img, (1, 0, 0, 0, 1, sign * 0.33 * strength * img.height), fill
    ),
}
