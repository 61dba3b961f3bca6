"""Images in a page: thumbnails, and cards of one or two of them with a caption."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.images.decode import decode
from zoo.reports.html.markup import Markup, tag

#: The longest side of a thumbnail in pixels, about twice its size on the page, for dense displays.
SIDE = 256
#: Images up to this size are shown pixel by pixel.
TINY = 64
#: The maximum size of a thumbnail in bytes; 48 pairs of them stay within two megabytes, base64 included.
BUDGET = 15_000

_QUALITIES = (85, 72, 58, 42, 26, 12)


def thumbnail(pixels: np.ndarray | Image.Image) -> Markup:
    """An ``img`` that contains the image: a PNG of its pixels if it is tiny, else a JPEG of :data:`BUDGET` bytes.

    Args:
        pixels: uint8 (height, width), or (height, width, 1, 3 or 4), or a Pillow image in RGB.

    Raises:
        ImageError: it is no such array.
    """
    img = decode(pixels)
    tiny = max(img.size) <= TINY
    if tiny:
        kind, data = "png", _encoded(img, "PNG", optimize=True)
    else:
        img.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        kind, data = "jpeg", b""
        for quality in _QUALITIES:
            data = _encoded(img, "JPEG", quality=quality, optimize=True)
            if len(data) <= BUDGET:
                break
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    return tag("img", class_="tiny" if tiny else None, src=source, width=img.width, height=img.height, alt="")


def image_card(
    path: str, *caption: Markup | None, pixels: np.ndarray | None = None, beside: np.ndarray | None = None
) -> Markup:
    """A thumbnail above a caption that ends with the file's name; an unreadable file has the reason instead.

    Args:
        path: of the file.
        *caption: what stands above the name.
        pixels: uint8 RGB (height, width, 3); if omitted, the file is read.
        beside: a second image, likewise.
    """
    try:
        images = [thumbnail(decode(path) if pixels is None else pixels)]
        images += [] if beside is None else [thumbnail(beside)]
    except ImageError as error:
        images = [tag("span", f"not shown: {error}", class_="missing")]
    name = tag("span", file_name(path), class_="path", title=path)
    return tag(
        "figure",
        tag("div", *images, class_="thumbs"),
        tag("figcaption", *caption, name),
        class_="pair" if len(images) > 1 else None,
    )


def file_name(path: str) -> str:
    """The last part of a path or an address."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def _encoded(img: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    img.save(stream, format, **options)
    return stream.getvalue()
