"""Photographs and maps as they stand in the page: small, and as text."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, features

from zoo.visualize.explain import overlay
from zoo.visualize.network.display import DOTS

#: The longest side of a photograph and of a map, in pixels.
PHOTO, MAP = 448, 224
#: What a photograph may take, in bytes.
BUDGET = 48_000
_QUALITIES = (82, 70, 55, 38)
#: A map is smooth, or so noisy that nobody reads single pixels.
_MAP_QUALITY = 55


def photograph(pixels: np.ndarray) -> str:
    """An image as a ``data:`` address: a JPEG of at most about :data:`BUDGET` bytes, or exact where it is tiny.

    Args:
        pixels: uint8 RGB (height, width, 3).
    """
    image = Image.fromarray(pixels)
    if max(image.size) <= DOTS:
        return _address(image, "PNG", optimize=True)
    image.thumbnail((PHOTO, PHOTO), Image.Resampling.LANCZOS)
    found = ""
    for quality in _QUALITIES:
        found = _address(image, "JPEG", quality=quality, optimize=True)
        if len(found) <= BUDGET * 4 / 3:
            break
    return found


def heat(values: np.ndarray) -> str:
    """A map as a ``data:`` address of an image that is transparent where there is nothing.

    Args:
        values: float (height, width), 0 or more.
    """
    image = Image.fromarray(overlay.coloured(values))
    if max(image.size) <= DOTS:
        return _address(image, "PNG", optimize=True)
    image.thumbnail((MAP, MAP), Image.Resampling.LANCZOS)
    if features.check("webp"):
        return _address(image, "WEBP", quality=_MAP_QUALITY, alpha_quality=_MAP_QUALITY, method=4)
    return _address(image.quantize(64, Image.Quantize.FASTOCTREE), "PNG", optimize=True)


def _address(image: Image.Image, kind: str, **options: object) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getbuffer()).decode('ascii')}"
