"""Photographs and maps as small ``data:`` URLs."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image, features

from zoo.visualize.explain import overlay
from zoo.visualize.network.display import TINY

#: The longer side of a photograph and of a map, in pixels.
PHOTO, MAP = 448, 224
#: Maximum size of a photograph, in bytes.
BUDGET = 48_000
_QUALITIES = (82, 70, 55, 38)
#: A map is smooth, or so noisy that single pixels do not matter.
_MAP_QUALITY = 55


def photograph(pixels: np.ndarray) -> str:
    """uint8 RGB (height, width, 3) as a JPEG of about :data:`BUDGET` bytes at most, or as PNG if it is tiny."""
    image = Image.fromarray(pixels)
    if max(image.size) <= TINY:
        return _url(image, "PNG", optimize=True)
    image.thumbnail((PHOTO, PHOTO), Image.Resampling.LANCZOS)
    found = ""
    for quality in _QUALITIES:
        found = _url(image, "JPEG", quality=quality, optimize=True)
        if len(found) <= BUDGET * 4 / 3:
            break
    return found


def heat(values: np.ndarray) -> str:
    """A map, float (height, width) >= 0, as an image that is transparent at 0."""
    image = Image.fromarray(overlay.coloured(values))
    if max(image.size) <= TINY:
        return _url(image, "PNG", optimize=True)
    image.thumbnail((MAP, MAP), Image.Resampling.LANCZOS)
    if features.check("webp"):
        return _url(image, "WEBP", quality=_MAP_QUALITY, alpha_quality=_MAP_QUALITY, method=4)
    return _url(image.quantize(64, Image.Quantize.FASTOCTREE), "PNG", optimize=True)


def _url(image: Image.Image, kind: str, **options: object) -> str:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getbuffer()).decode('ascii')}"
