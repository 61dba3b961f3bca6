"""From a decoded frame to the RGB image that a player shows: colours, aspect ratio and orientation."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.errors import ImageError

if TYPE_CHECKING:
    import av

#: FFmpeg's number for an unspecified colour space.
_UNSPECIFIED = 2
#: From this size on, an unspecified colour space is taken for BT.709, as players do.
_HD_WIDTH, _HD_HEIGHT = 1280, 577
#: Larger pixel aspect ratios are a mistake in the file.
_LARGEST_ASPECT = 4

_UPRIGHT = (1, 0, 0, 1)

#: One converter a thread; it keeps tables for the last size and format.
_own = threading.local()


@dataclass(frozen=True, slots=True)
class Display:
    """Pixel aspect (width over height), and (a, b, c, d) of the display matrix (ISO 14496-12, 8.2.2)."""

    aspect: Fraction = Fraction(1)
    matrix: tuple[int, int, int, int] = _UPRIGHT

    @classmethod
    def of(cls, image: av.VideoFrame, aspect: Fraction | None) -> Display:
        """What a frame states; once a video, as PyAV's frames whose side data were read stay in memory."""
        data = image.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls(aspect or Fraction(1))
        a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(data), np.int32)[:5])
        return cls(aspect or Fraction(1), (a, b, c, d))


def to_ppm(image: av.VideoFrame, display: Display) -> bytes:
    """A decoded frame as PPM, RGB, 0-255, upright, with square pixels.

    By the matrix and range that the video states, else BT.601 for small images, BT.709 for large ones, limited range.
    """
    from av import FFmpegError
    from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

    if not hasattr(_own, "converter"):
        _own.converter = VideoReformatter()
    width, height = image.width, image.height
    large = width >= _HD_WIDTH or height >= _HD_HEIGHT
    aspect = display.aspect
    if 1 < aspect <= _LARGEST_ASPECT:
        width = round(width * aspect)
    elif Fraction(1, _LARGEST_ASPECT) <= aspect < 1:
        height = round(height / aspect)
    try:
        converted = _own.converter.reformat(
            image,
            width,
            height,
            "rgb24",
            src_colorspace=Colorspace.ITU709 if large and image.colorspace == _UNSPECIFIED else None,
            # Interpolate chroma instead of repeating it.
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
        )
    except FFmpegError as error:
        raise ImageError(f"a frame in {image.format.name}, which FFmpeg cannot convert to RGB") from error
    pixels = _turned(converted.to_ndarray(), display.matrix)
    return b"P6 %d %d 255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


def _turned(pixels: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Pixels (height, width, 3) turned by the nearest right angle, or mirrored."""
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels = pixels.transpose(1, 0, 2)
        a, d = c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
