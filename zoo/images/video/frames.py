"""Videos among images: each gives its frames, one at a time, as sources like any other.

A frame's path is ``clip.mp4#t=12.000``: what is on the screen at 12 seconds, counted from the first frame. Such a path
can be read wherever an image can.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import BinaryIO

from zoo.core.errors import ImageError
from zoo.images import folders
from zoo.images.sources import Source, reason
from zoo.images.video import files
from zoo.images.video.reader import Reader, Shown
from zoo.images.video.rendering import Display, to_ppm
from zoo.images.video.times import SUFFIXES, Every, clock, milliseconds, moment


@dataclass(frozen=True, eq=False, slots=True)
class Video:
    """One video among the inputs. Given twice, it is two."""

    path: str


class Frame:
    """What a source holds of a video: a decoded frame until it is read, and where to find it again.

    ``milliseconds`` is ``None`` where the video has given no frame at all.
    """

    __slots__ = ("_display", "_shown", "milliseconds", "video")

    def __init__(
        self, video: Video, milliseconds: int | None, shown: Shown | None = None, display: Display | None = None
    ) -> None:
        """Keep a frame as it was decoded; it becomes an image when it is read."""
        self.video, self.milliseconds = video, milliseconds
        self._shown, self._display = shown, display

    @property
    def seconds(self) -> float | None:
        """The time, from the first frame of the video."""
        return None if self.milliseconds is None else self.milliseconds / 1000

    @property
    def held(self) -> int:
        """Bytes that the decoded frame takes in memory; 0 once it was read."""
        shown = self._shown
        return sum(plane.buffer_size for plane in shown.image.planes) if shown and shown.image else 0

    def open(self) -> BinaryIO:
        """The frame as an image file; the first time from memory, later from the video.

        Raises:
            ImageError: it is asked for a second time, and the video is gone or came out of a pipe.
        """
        shown, self._shown = self._shown, None
        if shown is None:
            return still(self.video.path, self.milliseconds or 0)
        return _image(shown, self._display)


def expand(sources: Iterable[Source], every: Every | str | None) -> Iterator[Source]:
    """Replace each video by its frames, lazily and in order; what is no video stays as it is.

    A video is known by its name or, where that says nothing and ``every`` is given, by how it begins; a pipe that is
    named is one. Each moment shows the frame that a player would show then: in a video of 25 frames a second and in
    one whose frames stay for different times alike. What is damaged or cut short gives the frames before, and a source
    with a ``problem`` at the time from which there are none; if a key frame follows, the frames go on from there.

    Frames are decoded when the next source is asked for, and become pixels when they are read, so that one that is
    skipped costs no more than its decoding. Memory does not grow with the length of a video; a source holds one decoded
    frame (1.5 bytes a pixel, for most codings) until it is read.

    Args:
        sources: from :func:`zoo.images.sources.find`.
        every: how often, or what :meth:`Every.parse` takes; without, a video gives a ``problem`` that says what to do.

    Raises:
        UsageError: ``every`` is no such text.
        UnavailableError: there is a video, and PyAV is not installed.
    """
    chosen = Every.parse(every) if isinstance(every, str) else every
    return _expanded(sources, chosen)


def still(file: str, milliseconds: int) -> BinaryIO:
    """The image on the screen at a time of a video, as an image file.

    Raises:
        ImageError: the video cannot be read, is damaged there, or has ended by then.
        UnavailableError: PyAV is not installed.
    """
    with _opened(file) as stream:
        if not stream.seekable():
            raise ImageError("a moment of a video that came out of a pipe and is gone")
        with Reader(stream) as reader:
            shown = reader.at(Fraction(milliseconds, 1000))
            if shown is None:
                raise ImageError(reader.problem or f"the video ends at {clock(float(reader.end), decimals=2)}")
            return _image(shown, reader.display)


def _expanded(sources: Iterable[Source], every: Every | None) -> Iterator[Source]:
    for source in sources:
        if source.problem is not None or not _is_video(source, every is not None):
            yield source
        elif source.kind == "url":
            yield replace(source, problem="a video at an address, where zoo does not look into it; fetch it first")
        elif every is None:
            yield replace(source, problem="a video; --every 1s takes an image of it each second")
        else:
            yield from _frames(source.path, every)


def _frames(path: str, every: Every) -> Iterator[Source]:
    video = Video(path)
    reader: Reader | None = None
    given = False
    try:
        with _opened(path) as stream, Reader(stream) as reader:
            for time, shown in _taken(reader, every):
                given = True
                at = milliseconds(time)
                problem = None if shown.image else f"damaged from {_clock(shown.time)} on, until the next key frame"
                yield Source(moment(path, at), "frame", problem, frame=Frame(video, at, shown, reader.display))
            if reader.problem or not given:
                raise ImageError(reader.problem or "a video without a frame")
    except ImageError as error:
        if reader is None or not given:
            yield Source(path, problem=str(error), frame=Frame(video, None))
        else:
            end = milliseconds(reader.end)
            problem = f"no frame after {_clock(reader.end)}: {error}"
            yield Source(moment(path, end), problem=problem, frame=Frame(video, end))


def _taken(reader: Reader, every: Every) -> Iterator[tuple[Fraction, Shown]]:
    """The moments that are asked for, and what is on the screen; what is damaged counts once."""
    if every.frames:
        count = 0
        for shown in reader.frames():
            if shown.image is None or count % every.frames == 0:
                yield shown.time, shown
            count += shown.image is not None
        return
    assert every.milliseconds is not None
    step, time, last = Fraction(every.milliseconds, 1000), Fraction(0), None
    while (now := reader.at(time)) is not None:
        if now.image is not None or now is not last:
            yield time, now
        last = now
        time += step


def _clock(time: Fraction) -> str:
    return clock(float(time), decimals=2)


def _image(shown: Shown, display: Display | None) -> BinaryIO:
    if shown.image is None:
        raise ImageError("damaged at that time of the video")
    # One frame may be on the screen at several of the moments, which are read in several threads.
    with shown.lock:
        return io.BytesIO(to_ppm(shown.image, display or Display()))


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise ImageError(reason(error)) from error


def _is_video(source: Source, looking: bool) -> bool:
    """Whether a source is a video by its name or, where that says nothing, and it is looked for, by its content."""
    if source.kind == "url":
        return _suffix(source.path.partition("?")[0]) in SUFFIXES
    suffix = _suffix(source.path)
    # Of images found in folders, not one is opened to find out.
    if source.kind != "file" or suffix in folders.SUFFIXES:
        return False
    if not looking and suffix not in SUFFIXES:
        return False
    try:
        if not stat.S_ISREG(os.stat(source.path).st_mode):
            return looking
        with open(source.path, "rb") as file:
            head = file.read(files.HEAD)
    except (OSError, ValueError):
        return suffix in SUFFIXES
    if suffix in SUFFIXES:
        return not files.begins_like_a_image(head)
    return files.begins_like_a_video(head)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()
