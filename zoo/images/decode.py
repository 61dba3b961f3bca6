"""The one way from a file to pixels: decode the first frame, turn upright by EXIF, resize. Threads scale."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import numpy as np
from PIL import ExifTags, Image

from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.images.colours import to_rgb
from zoo.images.header import check_cost, explain, identify
from zoo.images.limits import MAX_PIXELS
from zoo.images.source import Source, read_pipe

#: A JPEG is decoded at a reduced size if that is still this many times the target's.
DRAFT_MARGIN = 2

#: For each EXIF orientation: how to turn the pixels, and whether left and right, or top and bottom, are exchanged.
_ORIENTATIONS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT, True, False),
    3: (Image.Transpose.ROTATE_180, True, True),
    4: (Image.Transpose.FLIP_TOP_BOTTOM, False, True),
    5: (Image.Transpose.TRANSPOSE, False, False),
    6: (Image.Transpose.ROTATE_270, True, False),
    7: (Image.Transpose.TRANSVERSE, True, True),
    8: (Image.Transpose.ROTATE_90, False, True),
}

#: (left, upper, right, lower) in pixels.
Box = tuple[float, float, float, float]

_Result = TypeVar("_Result")


def load(source: Any, resize: Resize, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read an image and resize it for a network: uint8 RGB (height, width, 3), 0-255, C-contiguous.

    A large JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that leaves :data:`DRAFT_MARGIN` times the target, twice
    as fast for a photo of 12 megapixels and within 0.5 grey levels on average.

    ``source`` is a :class:`~zoo.images.source.Source`, a path, the bytes of a file, a binary file object, a Pillow
    image, or a uint8 array (height, width[, 1, 3 or 4]) in RGB or RGBA. The message of an ImageError has no path.
    """
    img, box = _decode(source, max_pixels, resize)
    return fit(img, resize, box=box)


def decode(source: Any, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Read an image at its full size, upright, in mode RGB."""
    return _decode(source, max_pixels, None)[0]


def fit(img: Image.Image, resize: Resize, *, box: Box | None = None) -> np.ndarray:
    """Resize an RGB image, or the part in ``box``, to uint8 (height, width, 3), 0-255, C-contiguous."""
    method = Image.Resampling[resize.interpolation.upper()]
    left, upper, right, lower = box or (0.0, 0.0, float(img.width), float(img.height))
    width, height = right - left, lower - upper
    if resize.policy == "pad":
        scale = min(resize.width / width, resize.height / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = Image.new("RGB", (resize.width, resize.height))
        offset = (resize.width - inner[0]) // 2, (resize.height - inner[1]) // 2
        canvas.paste(img.resize(inner, method, box=(left, upper, right, lower)), offset)
        return np.array(canvas)
    if resize.policy == "crop":
        # The largest center crop of the target's shape, times the fraction.
        scale = _reduction(width, height, resize)
        left, upper = left + (width - scale * resize.width) / 2, upper + (height - scale * resize.height) / 2
        right, lower = left + scale * resize.width, upper + scale * resize.height
    # Rounding must not carry the window over the edge, which Pillow refuses.
    window = max(left, 0.0), max(upper, 0.0), min(right, float(img.width)), min(lower, float(img.height))
    return np.array(img.resize((resize.width, resize.height), method, box=window))


def _reduction(width: float, height: float, resize: Resize) -> float:
    """How many source pixels become one along a side; the smaller number if the sides differ, unless padded."""
    sides = width / resize.width, height / resize.height
    if resize.policy == "pad":
        return max(sides)
    return min(sides) * (resize.fraction if resize.policy == "crop" else 1.0)


def _decode(source: Any, max_pixels: int, resize: Resize | None) -> tuple[Image.Image, Box | None]:
    """An upright RGB image, reduced where ``resize`` allows it, and the part of it that counts."""
    if isinstance(source, Source) and source.problem is None and source.pixels is not None:
        source = source.pixels
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        return _attempt(lambda: _upright(source, None, max_pixels))
    with _opened(source) as file:
        return _attempt(lambda: _read(file, max_pixels, resize), file)


def _attempt(step: Callable[[], _Result], file: BinaryIO | None = None) -> _Result:
    """Run a step that a damaged file may make fail in any way; every exception becomes an ImageError."""
    try:
        return step()
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(explain(error, file)) from error


def _from_array(pixels: np.ndarray) -> Image.Image:
    if pixels.dtype != np.uint8:
        raise ImageError(f"an array of {pixels.dtype}; an image is uint8, from 0 to 255")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)) or 0 in pixels.shape:
        raise ImageError(
            f"an array of shape {pixels.shape}; an image is (height, width) or (height, width, channels) "
            "with 1, 3 or 4 channels"
        )
    return Image.fromarray(np.ascontiguousarray(pixels))


@contextmanager
def _opened(source: Any) -> Iterator[BinaryIO]:
    """A seekable file, at its beginning."""
    if isinstance(source, str | os.PathLike):
        source = Source(os.fsdecode(source))
    if isinstance(source, Source):
        with source.open() as file:
            yield file
    elif isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    elif hasattr(source, "read"):
        # The caller's file may be a pipe, and stays open.
        yield _attempt(lambda: read_pipe(source, "file"))
    else:
        raise ImageError(f"a {type(source).__name__}, not an image")


def _read(file: BinaryIO, max_pixels: int, resize: Resize | None) -> tuple[Image.Image, Box | None]:
    img = identify(file)
    check_cost(img, file, max_pixels=max_pixels)
    box = _draft(img, resize) if resize is not None and img.format in ("JPEG", "MPO") else None
    return _upright(img, box, max_pixels)


def _draft(img: Image.Image, resize: Resize) -> Box | None:
    """Set a JPEG to be decoded at a reduced size if the target allows it; the exact edges of the result."""
    size = img.size if _orientation(img) < 5 else img.size[::-1]
    reduction = _reduction(*size, resize)
    step = next((step for step in (8, 4, 2) if reduction / step >= DRAFT_MARGIN), 1)
    # With nearest the result would depend on which pixel is picked.
    if step == 1 or resize.interpolation == "nearest":
        return None
    drafted = img.draft(None, (img.width // step, img.height // step))
    return drafted[1] if drafted else None


def _orientation(img: Image.Image) -> int:
    """EXIF's orientation; 1 if it is missing or invalid."""
    try:
        value = img.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Damaged EXIF is no reason to refuse an image.
        return 1
    return value if value in _ORIENTATIONS else 1


def _upright(img: Image.Image, box: Box | None, max_pixels: int) -> tuple[Image.Image, Box | None]:
    """Decode, convert to RGB and turn upright; ``box``, which begins at the corner, is turned with it."""
    check_cost(img, max_pixels=max_pixels)
    img.load()
    # A few formats know their size only now.
    check_cost(img, max_pixels=max_pixels)
    orientation = _orientation(img)
    converted = to_rgb(img)
    if orientation == 1:
        return converted, box
    method, sideways, upside_down = _ORIENTATIONS[orientation]
    turned = converted.transpose(method)
    if box is not None:
        width, height = box[2:] if orientation < 5 else (box[3], box[2])
        left = turned.width - width if sideways else 0.0
        upper = turned.height - height if upside_down else 0.0
        box = left, upper, left + width, upper + height
    return turned, box
