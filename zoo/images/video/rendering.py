"""From a decoded frame of a video to the image that a player shows: its colours, its shape and which way is up."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.errors import ImageError

if TYPE_CHECKING:
    import av

#: FFmpeg's name for colours of which nothing is said.
_UNSPECIFIED = 2
#: From this size on, colours of which nothing is said are taken for those of HD television, as players do.
_HD_WIDTH, _HD_HEIGHT = 1280, 577
#: Pixels more oblong than this are a mistake in the file.
_MOST_OBLONG = 4

#: Nothing is turned.
_UPRIGHT = (1, 0, 0, 1)

#: A converter keeps tables for the last size and format, and serves one thread.
_own = threading.local()


@dataclass(frozen=True, slots=True)
class Display:
    """How the frames of a video are meant to be seen.

    ``aspect`` says how many times wider than high a pixel is. ``matrix`` is (a, b, c, d) of the display matrix (ISO
    14496-12, 8.2.2): a step to the right leads (a, b) to the right and down, a step down leads (c, d).
    """

    aspect: Fraction = Fraction(1)
    matrix: tuple[int, int, int, int] = _UPRIGHT

    @classmethod
    def of(cls, image: av.VideoFrame, aspect: Fraction | None) -> Display:
        """What a decoded frame says; it is the same for all frames of a video.

        PyAV's frames whose side data were looked at stay in memory until Python looks for circles, so this is not asked
        of each frame.
        """
        data = image.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls(aspect or Fraction(1))
        a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(data), np.int32)[:5])
        return cls(aspect or Fraction(1), (a, b, c, d))


def to_ppm(image: av.VideoFrame, display: Display) -> bytes:
    """An image as a file that every reader of images reads: uncompressed, RGB, 0-255, upright.

    Luma and chroma become RGB by the matrix and the range that the video states (ITU-R BT.601, BT.709, BT.2020; limited
    or full). Where it states none, the matrix is that of BT.601 for small images and BT.709 for large ones, and the
    range is limited. High dynamic range is not mapped to the usual one.

    Args:
        image: a decoded frame, in any format.
        display: how it is meant to be seen.

    Returns:
        Netpbm's PPM, of the size at which the video is meant to be seen.

    Raises:
        ImageError: FFmpeg does not convert such colours.
    """
    from av import FFmpegError
    from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

    if not hasattr(_own, "converter"):
        _own.converter = VideoReformatter()
    width, height = image.width, image.height
    large = width >= _HD_WIDTH or height >= _HD_HEIGHT
    aspect = display.aspect
    if 1 < aspect <= _MOST_OBLONG:
        width = round(width * aspect)
    elif Fraction(1, _MOST_OBLONG) <= aspect < 1:
        height = round(height / aspect)
    try:
        converted = _own.converter.reformat(
            image,
            width,
            height,
            "rgb24",
            src_colorspace=Colorspace.ITU709 if large and image.colorspace == _UNSPECIFIED else None,
            # Without these, each pixel of those that share a colour has it as it is, with an edge to the next ones.
            interpolation=Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT,
            threads=1,
        )
    except FFmpegError as error:
        raise ImageError(f"a frame in {image.format.name}, whose colours FFmpeg does not convert") from error
    pixels = _turned(converted.to_ndarray(), display.matrix)
    return b"P6 %d %d 255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()


def _turned(pixels: np.ndarray, matrix: tuple[int, int, int, int]) -> np.ndarray:
    """Pixels (height, width, 3) turned by the nearest right angle, or mirrored."""
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        pixels = pixels.transpose(1, 0, 2)
        a, d = c, b
    return pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
