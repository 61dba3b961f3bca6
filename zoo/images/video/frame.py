"""One frame of a video as an image file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from zoo.core.errors import ImageError, describe_os_error
from zoo.images.video.reader import Reader, Shown
from zoo.images.video.rendering import Display, to_ppm
from zoo.images.video.times import clock


@dataclass(frozen=True, eq=False, slots=True)
class Video:
    """One video among the inputs. If it is given twice, there are two."""

    path: str


@dataclass(eq=False, slots=True)
class Frame:
    """A decoded frame until it is read, and where to find it again (no ``milliseconds``: before the first frame)."""

    video: Video
    milliseconds: int | None
    shown: Shown | None = None
    display: Display | None = None

    @property
    def seconds(self) -> float | None:
        """The time from the first frame of the video."""
        return None if self.milliseconds is None else self.milliseconds / 1000

    @property
    def held(self) -> int:
        """Bytes of the decoded frame in memory; 0 once it was read."""
        shown = self.shown
        return sum(plane.buffer_size for plane in shown.image.planes) if shown and shown.image else 0

    def open(self) -> BinaryIO:
        """The frame as an image file; the first time from memory, later from the video."""
        shown, self.shown = self.shown, None
        if shown is None:
            return read_frame(self.video.path, self.milliseconds or 0)
        return _image(shown, self.display)


def read_frame(file: str, milliseconds: int) -> BinaryIO:
    """The frame on the screen at a time of a video, as an image file."""
    with open_video(file) as stream:
        if not stream.seekable():
            raise ImageError("a moment of a video that came from a pipe and is gone")
        with Reader(stream) as reader:
            shown = reader.at(Fraction(milliseconds, 1000))
            if shown is None:
                raise ImageError(reader.problem or f"the video ends at {clock(reader.end, decimals=2)}")
            return _image(shown, reader.display)


def open_video(path: str) -> BinaryIO:
    """A file opened for reading bytes; an ImageError if it cannot be."""
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise ImageError(describe_os_error(error)) from error


def _image(shown: Shown, display: Display | None) -> BinaryIO:
    if shown.image is None:
        raise ImageError("damaged at that time of the video")
    # One decoded frame may be on the screen at several times, which are read in several threads.
    with shown.lock:
        return io.BytesIO(to_ppm(shown.image, display or Display()))
