"""Images inside the page: what is mistaken for what, and what is right but barely."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.images.decode import decode
from zoo.reports.html.contents import Shown
from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.words import percent

#: Most images of a gallery.
LIMIT = 24
#: The longest side of a thumbnail in pixels, about twice what it is shown at; sharp on dense displays.
SIDE = 256
#: Images up to this size stay as they are, pixel by pixel.
TINY = 64
#: What a thumbnail may take, in bytes; two galleries of pairs stay within two megabytes, base64 included.
BUDGET = 15_000

_QUALITIES = (85, 72, 58, 42, 26, 12)


def gallery(images: Sequence[Shown]) -> Markup:
    """The first :data:`LIMIT` images as a grid; each a thumbnail, what it was called, and its file's name."""
    return tag("div", *(_tile(image) for image in images[:LIMIT]), class_="gallery")


def thumbnail(pixels: np.ndarray | Image.Image) -> Markup:
    """An ``img`` that holds the image: exact where it is tiny, else a JPEG within :data:`BUDGET` bytes.

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
    return tag(
        "img",
        class_="tiny" if tiny else None,
        src=source,
        width=img.width,
        height=img.height,
        alt="",
    )


def _tile(shown: Shown) -> Markup:
    right = shown.truth == shown.predicted
    try:
        images = [thumbnail(decode(shown.path) if shown.pixels is None else shown.pixels)]
        images += [] if shown.overlay is None else [thumbnail(shown.overlay)]
    except ImageError as error:
        # The file was there when the network saw it; that it is gone costs its thumbnail alone.
        images = [tag("span", f"not shown: {error}", class_="missing")]
    truth = None
    if not right:
        score = "" if shown.truth_score is None else f" {percent(shown.truth_score)}"
        truth = tag("span", "is ", tag("b", shown.truth), score, class_="truth")
    caption = tag(
        "figcaption",
        tag("span", tag("b", shown.predicted), f" {percent(shown.score)}", class_="said right" if right else "said"),
        truth,
        tag("span", _short(shown.path), class_="path", title=shown.path),
    )
    box = tag("div", *images, class_="thumbs")
    return tag("figure", box, caption, class_="pair" if len(images) > 1 else None)


def _short(path: str) -> str:
    """The name of the file, without the folders."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def _encoded(img: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    img.save(stream, format, **options)
    return stream.getvalue()
