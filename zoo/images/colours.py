"""From the pixels of any image to 8-bit RGB.

* CMYK is converted by the usual formula (Pillow undoes the inversion that JPEGs have), LAB through Little CMS.
* ICC profiles are ignored: the networks were trained and measured by tools that ignore them, and converting a
  500×375 photo takes 5 ms, as long as decoding it.
* 16-bit greyscale keeps its high byte, as Pillow does for 16-bit RGB. Other integers count as 16-bit where they are all
  within 0-65535, floats as 0-1 or 0-255 where they are all within; otherwise the smallest value becomes black and
  the largest white. What is no number is black.
* Transparency is laid over white.
"""

from __future__ import annotations

import numpy as np
from PIL import Image


def to_rgb(image: Image.Image) -> Image.Image:
    """An RGB image of one in any mode; itself where it is RGB without transparency."""
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
    """uint8 (height, width) of integers or floats of any range, by the rules above."""
    if np.issubdtype(values.dtype, np.integer):
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high <= 0xFFFF:
            return _bytes(values >> 8)
    else:
        finite = np.isfinite(values)
        low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 0.0)
        values = np.where(finite, values, low)
        if low >= 0 and high <= 255:
            return _bytes(np.rint(values * 255 if high <= 1 else values))
    # In double precision, where the span of any two of them is finite.
    span = (high - low) or 1.0
    return _bytes(np.rint((values.astype(np.float64) - low) * (255.0 / span)))


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in ("La", "RGBa"):
        # Premultiplied pixels convert to nothing but their plain sort.
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _from_lab(image: Image.Image) -> Image.Image:
    # Little CMS is loaded for those alone who need it.
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    return transform.apply(image)
