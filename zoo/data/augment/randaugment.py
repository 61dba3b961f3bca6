"""RandAugment: a few operations of a fixed list, each at the same strength. Cubuk et al., 2019."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

#: The strength at which an operation does the most, as in the paper's code; it counts from 0.
STRONGEST = 30

#: (picture, strength from 0 to 1, sign, fill) → picture.
Operation = Callable[[Image.Image, float, int, int], Image.Image]


def apply(batch: np.ndarray, operations: int, magnitude: float, fill: int, rng: np.random.Generator) -> np.ndarray:
    """Change each picture by operations chosen at random, one after the other.

    Args:
        batch: uint8 (b, h, w, 3) or (b, h, w).
        operations: how many for each picture (the paper's N).
        magnitude: from 0 to :data:`STRONGEST` (its M).
        fill: what stands where a picture was moved away, 0-255.
        rng: where chance comes from.

    Returns:
        uint8, of the same shape.
    """
    result = np.empty_like(batch)
    chosen = rng.integers(0, len(OPERATIONS), (len(batch), operations)).tolist()
    signs = rng.choice([-1, 1], (len(batch), operations)).tolist()
    functions = list(OPERATIONS.values())
    for number, picture in enumerate(batch):
        image = Image.fromarray(picture)
        for choice, sign in zip(chosen[number], signs[number], strict=True):
            image = functions[choice](image, magnitude / STRONGEST, sign, fill)
        result[number] = np.asarray(image)
    return result


def _enhance(kind: Callable[[Image.Image], ImageEnhance._Enhance]) -> Operation:
    """Towards the grey, black or blurred picture, or away from it, by up to 0.9."""
    return lambda image, strength, sign, _: kind(image).enhance(1 + sign * 0.9 * strength)


def _affine(image: Image.Image, data: tuple[float, ...], fill: int) -> Image.Image:
    colour = fill if image.mode == "L" else (fill, fill, fill)
    return image.transform(image.size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR, fillcolor=colour)


def _rotate(image: Image.Image, strength: float, sign: int, fill: int) -> Image.Image:
    """By up to 30 degrees."""
    colour = fill if image.mode == "L" else (fill, fill, fill)
    return image.rotate(sign * 30 * strength, Image.Resampling.BILINEAR, fillcolor=colour)


def _posterize(image: Image.Image, strength: float, *_: int) -> Image.Image:
    """Down to 4 bits a channel."""
    return ImageOps.posterize(image, 8 - round(4 * strength))


def _solarize(image: Image.Image, strength: float, *_: int) -> Image.Image:
    """Invert what is lighter than a threshold that comes down from 256."""
    return ImageOps.solarize(image, round(256 * (1 - strength)))


#: The paper's fourteen, with its ranges: enhancing by 0.1 to 1.9, shearing by 0.3, shifting by 0.33 of the side,
#: turning by 30 degrees.
OPERATIONS: dict[str, Operation] = {
    "identity": lambda image, *_: image,
    "autocontrast": lambda image, *_: ImageOps.autocontrast(image),
    "equalize": lambda image, *_: ImageOps.equalize(image),
    "rotate": _rotate,
    "solarize": _solarize,
    "color": _enhance(ImageEnhance.Color),
    "posterize": _posterize,
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
    "shear-x": lambda image, strength, sign, fill: _affine(image, (1, sign * 0.3 * strength, 0, 0, 1, 0), fill),
    "shear-y": lambda image, strength, sign, fill: _affine(image, (1, 0, 0, sign * 0.3 * strength, 1, 0), fill),
    "translate-x": lambda image, strength, sign, fill: _affine(
        image, (1, 0, sign * 0.33 * strength * image.width, 0, 1, 0), fill
    ),
    "translate-y": lambda image, strength, sign, fill: _affine(
        image, (1, 0, 0, 0, 1, sign * 0.33 * strength * image.height), fill
    ),
}
