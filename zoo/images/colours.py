"""From an image in any mode to 8-bit RGB.

* ICC profiles are ignored, as in the tools that the networks were trained with; converting takes as long as decoding.
* 16-bit greyscale keeps its high byte, as Pillow does for 16-bit RGB. Other integers count as 16-bit, and floats as
  0-1 or 0-255, if all are within; otherwise the smallest value becomes black and the largest white. NaN is black.
* Transparency is composed over white.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB; itself if it is RGB without transparency."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        return Image.fromarray(to_grey(np.asarray(image))).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data:
        return _over_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def to_grey(values: np.ndarray) -> np.ndarray:
    """Integers or floats (height, width) of any range as uint8, by the rules above."""
    if np.issubdtype(values.dtype, np.integer):
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high <= 0xFFFF:
            return (values >> 8).astype(np.uint8)
    else:
        finite = np.isfinite(values)
        low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
        values = np.where(finite, values, low)
        if low >= 0 and high <= 255:
            levels: np.ndarray = np.rint(values * 255 if high <= 1 else values)
            return levels.astype(np.uint8)
    # In double precision, so that the span is finite.
    span = (high - low) or 1.0
    return np.rint((values.astype(np.float64) - low) * (255.0 / span)).astype(np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in ("La", "RGBa"):
        # Pillow converts premultiplied modes only to their plain form.
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    return transform.apply(image)
